select distinct id_hash
from ops.erasures
