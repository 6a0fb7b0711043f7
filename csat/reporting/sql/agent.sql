select * from marts.dim_agents
where agent_id = @agent_id
