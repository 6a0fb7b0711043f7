select
    opened_at,
    alert_key,
    about,
    severity,
    max(if(status != 'recovered', text, null)) as text,
    max(if(status = 'recovered', notified_at, null)) as recovered_at
from ops.alerts
where notified_at >= @since
group by opened_at, alert_key, about, severity
order by opened_at desc
limit @row_limit
