//! Only what is pinned runs, and only machine code that this installation sealed is loaded.

use crate::component::{built, evil, practice};
use hostler_core::id::Digest;
use hostler_host_wasmtime::{
    HostConfig, LoadError, LockError, LockedPlugin, PluginsLock, SystemResolver, WasmHost,
};
use hostler_ports::plugin::PluginHost;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

fn config(folder: &Path) -> HostConfig {
    HostConfig {
        cache: folder.join("cache"),
        connections: Arc::new(BTreeMap::new()),
        resolver: Arc::new(SystemResolver),
        secret_root: None,
    }
}

fn pinned(folder: &Path) -> std::path::PathBuf {
    std::fs::write(folder.join("practice.wasm"), practice()).unwrap();
    let lock = folder.join("plugins.lock");
    std::fs::write(&lock, PluginsLock::of_folder(folder).unwrap().to_text()).unwrap();
    lock
}

#[tokio::test]
async fn a_pinned_component_loads_and_describes_itself() {
    let folder = tempfile::tempdir().unwrap();
    let host = WasmHost::load(config(folder.path()), &pinned(folder.path()))
        .await
        .unwrap();
    let plugins = host.plugins();
    let description = &plugins[&Digest::of(&practice())];
    assert_eq!(description.name, "practice");
    assert!(
        description
            .actions
            .iter()
            .any(|action| action.name == "guest-patch.apply")
    );
}

#[tokio::test]
async fn a_single_changed_byte_anywhere_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let lock = pinned(folder.path());
    let whole = practice();
    for place in [0, 1, 8, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        let mut bytes = whole.clone();
        bytes[place] ^= 1;
        std::fs::write(folder.path().join("practice.wasm"), bytes).unwrap();
        let refused = WasmHost::load(config(folder.path()), &lock)
            .await
            .err()
            .unwrap();
        assert!(
            matches!(refused, LoadError::Lock(LockError::Changed { .. })),
            "byte {place}: {refused}"
        );
        assert!(
            refused.to_string().contains("put the pinned file back"),
            "{refused}"
        );
    }
}

#[tokio::test]
async fn a_lock_file_cannot_point_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let lock = folder.path().join("plugins.lock");
    for file in ["../practice.wasm", "/etc/passwd", "a/../../b.wasm"] {
        let mut content = PluginsLock::default();
        content.plugins.insert(
            "practice".into(),
            LockedPlugin {
                file: file.into(),
                sha256: Digest::of(b""),
            },
        );
        std::fs::write(&lock, content.to_text()).unwrap();
        let refused = WasmHost::load(config(folder.path()), &lock)
            .await
            .err()
            .unwrap();
        assert!(
            matches!(refused, LoadError::Lock(LockError::Outside { .. })),
            "{file}: {refused}"
        );
    }
}

#[tokio::test]
async fn a_component_under_another_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("other.wasm"), practice()).unwrap();
    let lock = folder.path().join("plugins.lock");
    std::fs::write(
        &lock,
        PluginsLock::of_folder(folder.path()).unwrap().to_text(),
    )
    .unwrap();
    let refused = WasmHost::load(config(folder.path()), &lock)
        .await
        .err()
        .unwrap();
    assert!(
        refused.to_string().contains("it calls itself practice"),
        "{refused}"
    );
}

#[tokio::test]
async fn a_tampered_cache_is_compiled_anew_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let lock = pinned(folder.path());
    WasmHost::load(config(folder.path()), &lock).await.unwrap();
    let sealed = compiled(folder.path());
    let whole = std::fs::read(&sealed).unwrap();
    let mut flipped = whole.clone();
    let middle = flipped.len() / 2;
    flipped[middle] ^= 0x40;
    let mut unsealed = whole.clone();
    unsealed[..32].fill(0);
    for bad in [flipped, unsealed, whole[..whole.len() / 2].to_vec()] {
        std::fs::write(&sealed, &bad).unwrap();
        let host = WasmHost::load(config(folder.path()), &lock).await.unwrap();
        assert_eq!(host.plugins().len(), 1);
        assert_ne!(
            std::fs::read(&sealed).unwrap(),
            bad,
            "the file is written anew"
        );
    }
}

#[tokio::test]
async fn machine_code_sealed_by_another_installation_is_not_loaded() {
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let lock = pinned(ours.path());
    WasmHost::load(config(ours.path()), &lock).await.unwrap();
    WasmHost::load(config(theirs.path()), &pinned(theirs.path()))
        .await
        .unwrap();
    let foreign = std::fs::read(compiled(theirs.path())).unwrap();
    std::fs::write(compiled(ours.path()), &foreign).unwrap();
    WasmHost::load(config(ours.path()), &lock).await.unwrap();
    assert_ne!(std::fs::read(compiled(ours.path())).unwrap(), foreign);
}

#[cfg(unix)]
#[tokio::test]
async fn a_seal_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    WasmHost::new(config(folder.path())).unwrap();
    let key = folder.path().join("cache/seal.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    let refused = WasmHost::new(config(folder.path())).err().unwrap();
    assert!(refused.to_string().contains("chmod 600"), "{refused}");
}

#[tokio::test]
async fn what_is_no_component_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut host = WasmHost::new(config(folder.path())).unwrap();
    let module = std::fs::read(built().join("hostler_fixture_evil.wasm")).unwrap()[..1000].to_vec();
    for bytes in [
        b"".to_vec(),
        b"\0asm".to_vec(),
        module,
        evil()[8..].to_vec(),
    ] {
        assert!(host.add("x", &bytes).await.is_err());
    }
}

fn compiled(folder: &Path) -> std::path::PathBuf {
    let entries = std::fs::read_dir(folder.join("cache")).unwrap();
    let path = |entry: std::io::Result<std::fs::DirEntry>| entry.unwrap().path();
    entries
        .map(path)
        .find(|path| {
            path.extension()
                .is_some_and(|extension| extension == "compiled")
        })
        .unwrap()
}
