//! One file a thing that people do. Every function takes who asks and refuses by `authorize`.

pub mod bounces;
pub mod budgets;
mod changed;
pub mod control;
pub mod debts;
pub mod decide;
mod document;
pub mod evidence;
pub mod feed;
pub mod follow;
pub mod freezes;
pub mod link;
pub mod locks;
pub mod mutes;
pub mod notices;
pub mod outcome;
pub mod planning;
pub mod plugins;
pub mod retry;
pub mod runbooks;
pub mod runs;
pub mod scheduler;
pub mod schedules;
pub mod start;
pub mod store;
pub mod waiting;
