//! The estate: customers, assets, connections, windows and people, from files to a checked value.
//!
//! Policies and schedules are files beside it, read in the same way. Pure: the text of files comes in
//! through a closure. Not here: files, networks, clocks, secrets (only references to them), and the
//! question when a window opens.
#![forbid(unsafe_code)]

mod address;
mod asking;
mod asset;
mod at;
mod budget;
mod build;
mod consent;
mod contact;
mod days;
mod deferral;
mod difference;
mod directory;
mod fault;
mod file;
mod gates;
mod model;
mod notice;
mod owing;
pub mod policies;
pub mod practice;
mod read;
pub mod schedules;
mod selector;
mod text;
mod when;

pub use asset::{ATTRIBUTES, Asset};
pub use build::{ASSETS_MAX, Known, ReadFile, load};
pub use difference::{Change, Difference, Import, NotConfirmed, import};
pub use fault::{Fault, Faults};
pub use model::{Calendar, Contract, Customer, Estate, Freeze, Group, Window};
pub use selector::Selector;
