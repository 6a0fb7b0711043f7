"""The load of each component at higher volumes, and the volume at which each limit applies, from measurements."""
