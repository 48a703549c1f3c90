//! The exports of a component, found once: a call looks up the one that it enters and no other.
//!
//! Not here: `describe`, which is called once at load.

use super::bindings::hostler::platform::types::Call;
use super::{CallState, WitAnswer, WitObserved};
use wasmtime::Store;
use wasmtime::component::{Component, ComponentExportIndex, Instance};

/// Where each export stands.
pub struct Doors {
    plan: ComponentExportIndex,
    perform: ComponentExportIndex,
    resume: ComponentExportIndex,
    observe: ComponentExportIndex,
    cancel: ComponentExportIndex,
}

type CallStore = Store<CallState>;

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
        (call, input): (&Call, &str),
    ) -> wasmtime::Result<Result<String, String>> {
        let door = instance
            .get_typed_func::<(&Call, &str), (Result<String, String>,)>(&mut *store, &self.plan)?;
        Ok(door.call_async(store, (call, input)).await?.0)
    }

    /// # Errors
    /// A trap, or a limit that was hit.
    pub async fn perform(
        &self,
        store: &mut CallStore,
        instance: &Instance,
        (call, input): (&Call, &str),
    ) -> wasmtime::Result<WitAnswer> {
        let door =
            instance.get_typed_func::<(&Call, &str), (WitAnswer,)>(&mut *store, &self.perform)?;
        Ok(door.call_async(store, (call, input)).await?.0)
    }

    /// # Errors
    /// A trap, or a limit that was hit.
    pub async fn resume(
        &self,
        store: &mut CallStore,
        instance: &Instance,
        (call, input): (&Call, &str),
        checkpoint: &str,
    ) -> wasmtime::Result<WitAnswer> {
        let door = instance
            .get_typed_func::<(&Call, &str, &str), (WitAnswer,)>(&mut *store, &self.resume)?;
        Ok(door.call_async(store, (call, input, checkpoint)).await?.0)
    }

    /// # Errors
    /// A trap, or a limit that was hit.
    pub async fn observe(
        &self,
        store: &mut CallStore,
        instance: &Instance,
        (call, input): (&Call, &str),
        checkpoint: Option<&str>,
    ) -> wasmtime::Result<WitObserved> {
        let door = instance.get_typed_func::<(&Call, &str, Option<&str>), (WitObserved,)>(
            &mut *store,
            &self.observe,
        )?;
        Ok(door.call_async(store, (call, input, checkpoint)).await?.0)
    }

    /// # Errors
    /// A trap, or a limit that was hit.
    pub async fn cancel(
        &self,
        store: &mut CallStore,
        instance: &Instance,
        (call, input): (&Call, &str),
        checkpoint: Option<&str>,
    ) -> wasmtime::Result<WitAnswer> {
        let door = instance.get_typed_func::<(&Call, &str, Option<&str>), (WitAnswer,)>(
            &mut *store,
            &self.cancel,
        )?;
        Ok(door.call_async(store, (call, input, checkpoint)).await?.0)
    }
}
