//! The exports of a component, found once: a call looks up the one that it enters and no other.
//!
//! Not here: `describe`, which is called once at load.

use super::bindings::hostler::platform::types::Call;
use super::{CallState, WitAnswer, WitObserved};
use wasmtime::Store;
use wasmtime::component::{
    Component, ComponentExportIndex, ComponentNamedList, Instance, Lift, Lower,
};

/// Where each export stands.
pub struct Doors {
    plan: ComponentExportIndex,
    perform: ComponentExportIndex,
    resume: ComponentExportIndex,
    observe: ComponentExportIndex,
    cancel: ComponentExportIndex,
}

type CallStore = Store<CallState>;

/// What every entry is told: the circumstances and the input.
type With<'a> = (&'a Call, &'a str);

/// Enters one export.
async fn through<Params, Answer>(
    store: &mut CallStore,
    instance: &Instance,
    door: &ComponentExportIndex,
    params: Params,
) -> wasmtime::Result<Answer>
where
    Params: ComponentNamedList + Lower + Send + Sync,
    Answer: Send + Sync + 'static,
    (Answer,): ComponentNamedList + Lift,
{
    let door = instance.get_typed_func::<Params, (Answer,)>(&mut *store, door)?;
    Ok(door.call_async(store, params).await?.0)
}

impl Doors {
    /// None when an export is missing.
    #[must_use]
    pub fn of(component: &Component) -> Option<Self> {
        let door = |name| component.get_export_index(None, name);
        Some(Self {
            plan: door("plan")?,
            perform: door("perform")?,
            resume: door("resume")?,
            observe: door("observe")?,
            cancel: door("cancel")?,
        })
    }

    /// # Errors
    /// A trap, or a limit that was hit.
    pub async fn plan(
        &self,
        store: &mut CallStore,
        instance: &Instance,
        (call, input): With<'_>,
    ) -> wasmtime::Result<Result<String, String>> {
        through(store, instance, &self.plan, (call, input)).await
    }

    /// # Errors
    /// A trap, or a limit that was hit.
    pub async fn perform(
        &self,
        store: &mut CallStore,
        instance: &Instance,
        (call, input): With<'_>,
    ) -> wasmtime::Result<WitAnswer> {
        through(store, instance, &self.perform, (call, input)).await
    }

    /// # Errors
    /// A trap, or a limit that was hit.
    pub async fn resume(
        &self,
        store: &mut CallStore,
        instance: &Instance,
        (call, input): With<'_>,
        checkpoint: &str,
    ) -> wasmtime::Result<WitAnswer> {
        through(store, instance, &self.resume, (call, input, checkpoint)).await
    }

    /// # Errors
    /// A trap, or a limit that was hit.
    pub async fn observe(
        &self,
        store: &mut CallStore,
        instance: &Instance,
        (call, input): With<'_>,
        checkpoint: Option<&str>,
    ) -> wasmtime::Result<WitObserved> {
        through(store, instance, &self.observe, (call, input, checkpoint)).await
    }

    /// # Errors
    /// A trap, or a limit that was hit.
    pub async fn cancel(
        &self,
        store: &mut CallStore,
        instance: &Instance,
        (call, input): With<'_>,
        checkpoint: Option<&str>,
    ) -> wasmtime::Result<WitAnswer> {
        through(store, instance, &self.cancel, (call, input, checkpoint)).await
    }
}
