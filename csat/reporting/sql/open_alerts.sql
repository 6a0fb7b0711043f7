-- The last notification of an alert says whether it is open. Critical ones first.
select
    opened_at,
    alert_key,
    about,
    severity,
    text
from ops.alerts
where true
qualify
    row_number() over (partition by alert_key, about order by notified_at desc) = 1
    and status != 'recovered'
order by severity = 'critical' desc, opened_at, alert_key, about
