"""What more answers a day ask of each part, and where each limit binds: arithmetic on measured figures."""
