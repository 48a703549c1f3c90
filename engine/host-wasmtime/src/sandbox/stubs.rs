//! What Rust's standard library imports to start, as empty stubs: no arguments, no environment, no files,
//! and chance that is the same at every run. Standard output and error become log lines.
//!
//! Not here: anything that reaches the machine. A component that asks for the network is refused when
//! it is loaded.

use crate::guest::CallState;
use wasmtime::component::{
    Component, ComponentType, Lift, Linker, LinkerInstance, Lower, Resource,
};
use wasmtime::{Engine, StoreContextMut};

/// Packages of which the standard library may import something.
const LANGUAGE: [&str; 5] = [
    "wasi:cli/",
    "wasi:io/",
    "wasi:clocks/",
    "wasi:random/",
    "wasi:filesystem/",
];
const PLATFORM: &str = "hostler:platform/";
const PLATFORM_VERSION: &str = "@1.0.0";
/// One write to standard output.
const WRITE_MAX_BYTES: u64 = 4096;

/// # Errors
/// The import that a plugin must not have, with the remedy.
pub fn refuse_ambient(component: &Component, engine: &Engine) -> Result<(), String> {
    for (name, _) in component.component_type().imports(engine) {
        let platform = name.starts_with(PLATFORM);
        if platform && !name.ends_with(PLATFORM_VERSION) {
            return Err(format!(
                "it imports {name}; this host has {PLATFORM}*{PLATFORM_VERSION}: build it against that"
            ));
        }
        if !platform && !LANGUAGE.iter().any(|package| name.starts_with(package)) {
            return Err(format!(
                "it imports {name}: a plugin reaches the world only through {PLATFORM}*; use `Context`"
            ));
        }
    }
    Ok(())
}

/// What every resource stands for: nothing. One type for all, as the trapping stubs have it too.
type Stub = ();

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<Stub>),
    #[component(name = "closed")]
    Closed,
}

type Stream = Resource<Stub>;

/// Gives the imports of the language their stubs, under the versions that the component asks for.
/// What is not needed to start traps when it is called.
///
/// # Errors
/// When the engine refuses a definition.
pub fn stub_language_imports(
    linker: &mut Linker<CallState>,
    component: &Component,
    engine: &Engine,
) -> wasmtime::Result<()> {
    let ty = component.component_type();
    let names: Vec<String> = ty
        .imports(engine)
        .map(|(name, _)| name.to_owned())
        .filter(|name| name.starts_with("wasi:"))
        .collect();
    for name in names {
        let plain = name
            .split_once('@')
            .map_or(name.as_str(), |(plain, _)| plain);
        let mut instance = linker.instance(&name)?;
        match plain {
            "wasi:cli/environment" => {
                instance.func_wrap("get-environment", |_, (): ()| {
                    Ok((Vec::<(String, String)>::new(),))
                })?;
                instance.func_wrap("get-arguments", |_, (): ()| Ok((Vec::<String>::new(),)))?;
            }
            "wasi:cli/stdout" => output(&mut instance, "get-stdout")?,
            "wasi:cli/stderr" => output(&mut instance, "get-stderr")?,
            "wasi:io/streams" => streams(&mut instance)?,
            "wasi:io/poll" => {
                instance.func_wrap("[method]pollable.block", |_, (_,): (Stream,)| Ok(()))?
            }
            "wasi:random/random" => chance(&mut instance)?,
            "wasi:random/insecure-seed" => {
                instance.func_wrap(
                    "insecure-seed",
                    |store: StoreContextMut<'_, CallState>, (): ()| {
                        let seed = store.data().seed();
                        Ok(((seed, !seed),))
                    },
                )?;
            }
            _ => {}
        }
    }
    linker.define_unknown_imports_as_traps(component)
}

fn output(instance: &mut LinkerInstance<'_, CallState>, name: &str) -> wasmtime::Result<()> {
    instance.func_wrap(name, |_, (): ()| Ok((Stream::new_own(0),)))
}

fn streams(instance: &mut LinkerInstance<'_, CallState>) -> wasmtime::Result<()> {
    type Written = (Result<(), StreamError>,);
    instance.func_wrap("[method]output-stream.check-write", |_, (_,): (Stream,)| {
        Ok((Ok::<u64, StreamError>(WRITE_MAX_BYTES),))
    })?;
    // A write never waits.
    instance.func_wrap("[method]output-stream.subscribe", |_, (_,): (Stream,)| {
        Ok((Stream::new_own(0),))
    })?;
    for name in ["write", "blocking-write-and-flush"] {
        let name = format!("[method]output-stream.{name}");
        instance.func_wrap(
            &name,
            |mut store: StoreContextMut<'_, CallState>, (_, bytes): (Stream, Vec<u8>)| {
                store.data_mut().printed(&bytes)?;
                let written: Written = (Ok(()),);
                Ok(written)
            },
        )?;
    }
    for name in ["flush", "blocking-flush"] {
        let name = format!("[method]output-stream.{name}");
        instance.func_wrap(&name, |_, (_,): (Stream,)| {
            let written: Written = (Ok(()),);
            Ok(written)
        })?;
    }
    Ok(())
}

fn chance(instance: &mut LinkerInstance<'_, CallState>) -> wasmtime::Result<()> {
    instance.func_wrap(
        "get-random-u64",
        |store: StoreContextMut<'_, CallState>, (): ()| Ok((store.data().seed(),)),
    )?;
    instance.func_wrap(
        "get-random-bytes",
        |store: StoreContextMut<'_, CallState>, (count,): (u64,)| {
            let count = usize::try_from(count).unwrap_or(usize::MAX).min(1024);
            let seed = store.data().seed().to_le_bytes();
            Ok((seed.into_iter().cycle().take(count).collect::<Vec<u8>>(),))
        },
    )
}
