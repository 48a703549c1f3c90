-- Names and flags. A name carries the version of its arguments: a new form is a new name, and the
-- old one stays for two releases. Work that finishes goes on over the memory limit; work that makes
-- more of it (h1_start, h1_commit_grow) does not.

local function register(name, callback, flags)
  redis.register_function({ function_name = name, callback = callback, flags = flags })
end

register('h1_claim', h1_claim, { 'allow-oom' })
register('h1_commit', h1_commit, { 'allow-oom' })
register('h1_commits', h1_commits, { 'allow-oom' })
register('h1_commit_grow', h1_commit_grow, {})
register('h1_start', h1_start, {})
register('h1_send', h1_send, { 'allow-oom' })
register('h1_renew', h1_renew, { 'allow-oom' })
register('h1_calm', h1_calm, { 'allow-oom' })
register('h1_tick', h1_tick, { 'allow-oom' })
register('h1_upkeep', h1_upkeep, { 'allow-oom' })
register('h1_declare', h1_declare, { 'allow-oom' })
register('h1_generation', h1_generation, { 'allow-oom' })
register('h1_purge', h1_purge, { 'allow-oom' })
register('h1_drop_own', h1_drop_own, { 'allow-oom' })
register('h1_trim_ledger', h1_trim_ledger, { 'allow-oom' })
register('h1_load', h1_load, { 'no-writes' })
register('h1_headers', h1_headers, { 'no-writes' })
register('h1_children', h1_children, { 'no-writes' })
register('h1_query', h1_query, { 'no-writes' })
register('h1_feed', h1_feed, { 'no-writes' })
register('h1_run', h1_run, { 'no-writes' })
register('h1_ledger', h1_ledger, { 'no-writes' })
register('h1_state', h1_state, { 'no-writes' })
register('h1_counts', h1_counts, { 'no-writes' })
