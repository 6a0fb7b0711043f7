-- Of two at the same moment one changes the row: two updates of a table do not overlap. A second
-- first row, which two first builds may insert, does no harm: an update changes both.
insert into ops.build_lease (token)
select ''
from (select 1 as one) as seed
where not exists (select 1 from ops.build_lease);

update ops.build_lease
set
    token = @token,
    holder = @holder,
    acquired_at = current_timestamp(),
    expires_at = timestamp_add(current_timestamp(), interval @lease_seconds second)
where
    not exists (
        select 1
        from ops.build_lease
        where expires_at > current_timestamp() and token != @ended_token
    );

select
    token,
    holder,
    acquired_at
from ops.build_lease
order by expires_at desc
limit 1;
