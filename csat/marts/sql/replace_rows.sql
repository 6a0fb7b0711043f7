-- One mart: its rows of these dates, or all of them, become those of the candidate.
delete from marts.{{ mart }}
where {{ condition }};

insert into marts.{{ mart }} ({{ columns }})
select {{ columns }}
from candidate.{{ mart }}
where {{ condition }};
