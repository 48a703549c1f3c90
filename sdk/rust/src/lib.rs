//! What a plugin for one platform is written with: typed actions, one macro that exports them, and a
//! `Host` trait so that an action can be tested without WASM.
//!
//! Not here: anything of the engine; anything that reaches the world by another way than `Host`.
//!
//! ```
//! use hostler_sdk::{Action, Context, HttpRequest, Meta, Outcome, done};
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//!
//! #[derive(Deserialize, JsonSchema)]
//! #[serde(deny_unknown_fields)]
//! struct Nothing {}
//!
//! #[derive(Serialize, Deserialize, JsonSchema)]
//! struct Health { healthy: bool }
//!
//! struct Healthy;
//! impl Action for Healthy {
//!     type Input = Nothing;
//!     type Output = Health;
//!     const META: Meta = Meta::read("monitor.healthy", "Is the asset healthy?");
//!     fn perform(ctx: &mut Context<'_>, _input: Nothing) -> Outcome<Health> {
//!         let response = ctx.send("target", &HttpRequest::get("/health"))?;
//!         done(Health { healthy: response.status == 200 })
//!     }
//! }
//!
//! hostler_sdk::plugin! { name: "example", actions: [Healthy] }
//! # fn main() {}
//! ```
#![forbid(unsafe_code)]

mod action;
mod answer;
mod call;
mod context;
mod dispatch;
mod host;
mod http;

// The generated bindings name this crate as a plugin does.
#[cfg(target_family = "wasm")]
extern crate self as hostler_sdk;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod guest;

pub use action::{Action, Effect, Impact, Meta};
pub use answer::{Answer, Done, Observation, Observed, Outcome, Stop, done, reject, retry};
pub use call::{Call, Grant};
pub use context::Context;
pub use dispatch::{Entry, Plugin, Script};
pub use host::{
    ExecOutcome, Failure, FailureKind, Host, JournalEntry, Level, ProbeKind, ProbeOutcome,
};
pub use http::{HttpRequest, HttpResponse};

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub use wit_bindgen;

/// Declares a crate as a plugin: `static PLUGIN` for tests, and the component's exports when the crate
/// is built for WebAssembly (and only then: the names of exports do not link on a host).
///
/// ```text
/// hostler_sdk::plugin! {
///     name: "guest-linux",
///     actions: [Scan, Apply],
///     scripts: [Script::reads("scan.sh", include_str!("../scripts/scan.sh"))],
/// }
/// ```
#[macro_export]
macro_rules! plugin {
    (
        name: $name:literal,
        actions: [$($action:ty),* $(,)?]
        $(, scripts: [$($script:expr),* $(,)?])? $(,)?
    ) => {
        /// This plugin: its actions and scripts.
        pub static PLUGIN: $crate::Plugin = $crate::Plugin {
            name: $name,
            version: env!("CARGO_PKG_VERSION"),
            actions: &[$($crate::Entry::of::<$action>()),*],
            scripts: &[$($($script),*)?],
        };

        #[cfg(target_family = "wasm")]
        #[doc(hidden)]
        mod hostler_component {
            pub struct Provided;
            impl $crate::guest::Provider for Provided {
                fn plugin() -> &'static $crate::Plugin {
                    &super::PLUGIN
                }
            }
            type Component = $crate::guest::Glue<Provided>;
            $crate::guest::export_component!(Component with_types_in $crate::guest::bindings);
        }
    };
}
