select if(
    exists (
        select 1
        from ops.build_lease
        where token = @lease_token
    ),
    1,
    error('another build has taken the lease')
) as kept;

update ops.build_lease
set expires_at = timestamp_add(current_timestamp(), interval @lease_seconds second)
where token = @lease_token;
