//! Every limit of the sandbox in one place, each with its reason.

/// Linear memory of one call. Plugins hold a few documents of a few MiB; ten times that is a bug.
pub const MEMORY_MAX_BYTES: usize = 64 * 1024 * 1024;
/// Entries of a guest's tables: function pointers only. The largest plugin of the tree has under 2,000.
pub const TABLE_MAX_ELEMENTS: usize = 20_000;
/// Live handles of one call. The platform package has none; those of the language's start-up are few.
pub const HANDLES_MAX: usize = 256;
/// What one host call or answer may carry out of the guest: a request body of 4 MiB with room around it.
pub const TRANSFER_MAX_BYTES: usize = 6 * 1024 * 1024;
/// Body of one request.
pub const REQUEST_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Lines and bytes of log of one call: what a person could still read.
pub const LOG_LINES_MAX: u32 = 1_000;
pub const LOG_LINE_MAX_BYTES: usize = 2 * 1024;
/// Progress reports of one call.
pub const PROGRESS_MAX: u32 = 1_000;
/// Host calls of one call: a sweep over a hundred pages is far below, an endless poll is above.
pub const HOST_CALLS_MAX: u32 = 10_000;
/// Pieces of evidence of one call and the size of each.
pub const BLOBS_MAX: u32 = 16;
pub const BLOB_MAX_BYTES: usize = 4 * 1024 * 1024;
/// Lines of evidence of an answer, and all their bytes together.
pub const EVIDENCE_LINES_MAX: usize = 50;
pub const EVIDENCE_MAX_BYTES: usize = 8 * 1024;
/// Longest reason or title of an answer.
pub const TEXT_MAX_BYTES: usize = 4 * 1024;
/// The epoch's tick: a guest that computes is looked at this often.
pub const TICK_MS: u64 = 10;
/// Ticks that a guest may compute in one call, its waits not counted: 10 s, a thousand times what the
/// heaviest known answer takes to parse.
pub const COMPUTE_TICKS_MAX: u64 = 1_000;
/// Calls in flight at the same time; more wait. Each may keep 64 MiB.
pub const CALLS_AT_ONCE: u32 = 256;
/// `describe` has no input and no host calls: it either works at once or never.
pub const DESCRIBE_TIMEOUT_MS: u64 = 5_000;
/// Text of `describe`: schemas and scripts.
pub const DESCRIBE_MAX_BYTES: usize = 2 * 1024 * 1024;
/// One script. It travels as one argument of a shell, of which Linux takes 128 KiB.
pub const SCRIPT_MAX_BYTES: usize = 96 * 1024;
/// Arguments of one script.
pub const ARGUMENTS_MAX_BYTES: usize = 256 * 1024;
/// A component file.
pub const COMPONENT_MAX_BYTES: u64 = 32 * 1024 * 1024;
/// Redirects that a read follows.
pub const REDIRECTS_MAX: u32 = 5;
/// Time to reach a host before it counts as unreachable.
pub const CONNECT_TIMEOUT_MS: u64 = 10_000;
/// Response headers handed to a guest.
pub const HEADERS_MAX: usize = 100;
/// First line of a banner.
pub const BANNER_MAX_BYTES: usize = 512;
