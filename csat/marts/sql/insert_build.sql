-- A build whose clock was ahead moved the watermark past now: its record must not count once that
-- time has come.
update ops.mart_builds
set status = 'partial'
where status = 'succeeded' and watermark_to > current_timestamp();

insert into ops.mart_builds (
    build_id,
    status,
    is_full_refresh,
    started_at,
    built_at,
    build_seconds,
    watermark_from,
    watermark_to,
    touched_dates,
    latest_response_date,
    accepted_count,
    response_count,
    model_count,
    test_count
)
values (
    @build_id,
    @status,
    @is_full_refresh,
    @started_at,
    @built_at,
    @build_seconds,
    @watermark_from,
    @watermark_to,
    @touched_dates,
    @latest_response_date,
    @accepted_count,
    @response_count,
    @model_count,
    @test_count
);
