"""The control plane: desired state, heartbeat, verdict, open alerts, and the object store that holds them."""
