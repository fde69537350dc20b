"""The frontier: what to fetch when. `rates`, `policy` and `traps` are pure; `store` keeps it; `middleware` is where Scrapy asks."""
