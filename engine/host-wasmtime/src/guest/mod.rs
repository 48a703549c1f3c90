//! The guest's side of the host: the generated bindings, what one call holds, what a guest may call.

mod answer;
#[allow(missing_docs, clippy::all)]
mod bindings {
    wasmtime::component::bindgen!({
        path: "../../sdk/wit/platform@1.0.0",
        world: "plugin",
        imports: {
            "hostler:platform/http": async | trappable,
            "hostler:platform/exec": async | trappable,
            "hostler:platform/probe": async | trappable,
            default: trappable,
        },
        exports: { default: async },
    });
}
mod doors;
mod imports;
mod state;

pub use answer::{answer, observed, plan, wit_call};
pub use bindings::hostler::platform::http::{Request as HttpRequest, Response as HttpResponse};
pub use bindings::hostler::platform::types::{
    Answer as WitAnswer, Failure, FailureKind, Observed as WitObserved,
};
pub use bindings::{Plugin, PluginPre};
pub use doors::Doors;
pub use state::{Active, CallState, MemoryBlobs, Mode, Services};

use wasmtime::component::{HasSelf, Linker};

/// # Errors
/// When the engine refuses a definition.
pub fn link_platform(linker: &mut Linker<CallState>) -> wasmtime::Result<()> {
    Plugin::add_to_linker::<_, HasSelf<CallState>>(linker, |state| state)
}
