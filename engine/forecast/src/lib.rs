//! What a runbook's cycle would do in a month, and what stands in its way, without running anything.
//!
//! Pure and deterministic: the same input gives the same bytes, in whatever order its lists come. Not
//! here: clocks, files, the store, what really happened, and failures: every server is taken to go well
//! and to need as long as said.
#![forbid(unsafe_code)]

mod build;
mod code;
mod extract;
mod fault;
mod forecast;
mod input;
mod lengths;
mod moment;
mod plan;
pub mod render;

pub use build::{Options, from_estate};
pub use code::Code;
pub use fault::ForecastFault;
pub use forecast::{
    Approval, AssetRow, Conflict, ConsentRow, CustomerRow, Disruptions, FORM, Forecast, FreezeRow,
    Giver, LengthRow, Outcome, Slot, WaveRow, Work,
};
pub use input::{
    ASSETS_MAX, Anchor, Approver, Approvers, Asked, Asset, AtOnce, Budget, Contact, Customer,
    Duration, Durations, Group, Input, Month, Overflow, Terms, Wave,
};
pub use moment::Moment;
pub use plan::forecast;
