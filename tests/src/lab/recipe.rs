//! Builds what is slow to build once and keeps it below `target/lab`: the roots of the hosts, the package
//! repositories, the Python environment. A changed recipe builds anew under a new name.
//!
//! Not here: starting servers.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use super::error::{Attempt, LabError, tail};
use super::{Result, supervise};

/// A script that makes one folder.
struct Recipe {
    name: &'static str,
    text: &'static str,
    /// Recipes whose folder is handed to the script, in order.
    from: &'static [&'static Recipe],
    /// Whether the script's own folder comes after the first of `from` (see its usage line).
    needs_root: bool,
}

static ROOT_DEB: Recipe = Recipe {
    name: "root-deb",
    text: include_str!("recipes/root-deb.sh"),
    from: &[],
    needs_root: true,
};
static REPO_DEB: Recipe = Recipe {
    name: "repo-deb",
    text: include_str!("recipes/repo-deb.sh"),
    from: &[],
    needs_root: false,
};
static REPO_RPM: Recipe = Recipe {
    name: "repo-rpm",
    text: include_str!("recipes/repo-rpm.sh"),
    from: &[],
    needs_root: false,
};
static ROOT_RPM: Recipe = Recipe {
    name: "root-rpm",
    text: include_str!("recipes/root-rpm.sh"),
    from: &[&ROOT_DEB, &REPO_RPM],
    needs_root: true,
};
static VENV: Recipe = Recipe {
    name: "venv",
    text: include_str!("recipes/venv.sh"),
    from: &[],
    needs_root: false,
};

/// `program package` on each line; `cargo xtask test` installs from the same file.
const PACKAGES: &str = include_str!("recipes/packages.txt");
/// Bytes of the digest that name a folder: 2^48 recipes until two meet.
const NAME_BYTES: usize = 6;

/// What the hosts are made of.
#[derive(Clone, Debug)]
pub struct Roots {
    /// The Debian root, lower layer of every host.
    pub deb: PathBuf,
    /// The layer that lies upon it on hosts patched with dnf.
    pub rpm: PathBuf,
    /// Holds `deb` and `rpm`, the package repositories.
    pub repo_deb: PathBuf,
    pub repo_rpm: PathBuf,
}

/// Makes sure that everything slow is built; quick when it is. Needs root.
pub fn ensure() -> Result<Roots> {
    let roots = roots()?;
    venv()?;
    Ok(roots)
}

pub(super) fn roots() -> Result<Roots> {
    Ok(Roots {
        deb: built(&ROOT_DEB)?,
        repo_deb: built(&REPO_DEB)?,
        rpm: built(&ROOT_RPM)?,
        repo_rpm: built(&REPO_RPM)?,
    })
}

/// The Python interpreter that knows aiosmtpd.
pub(super) fn venv() -> Result<PathBuf> {
    Ok(built(&VENV)?.join("bin/python"))
}

/// Checks that a program is there before it is started, so that the error names the package.
pub(super) fn require(program: &str) -> Result<()> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    if std::env::split_paths(&path).any(|folder| folder.join(program).exists()) {
        return Ok(());
    }
    let package = PACKAGES
        .lines()
        .filter_map(|line| line.split_once(' '))
        .find(|(name, _)| *name == program)
        .map_or(program, |(_, package)| package);
    Err(LabError::Missing {
        what: program.to_owned(),
        package: package.to_owned(),
    })
}

fn digest(recipe: &Recipe) -> String {
    let mut hash = Sha256::new();
    hash.update(recipe.text);
    recipe
        .from
        .iter()
        .for_each(|from| hash.update(digest(from)));
    hex::encode(&hash.finalize()[..NAME_BYTES])
}

/// The folder that a recipe makes, built when it is not there; other processes wait for the first.
fn built(recipe: &Recipe) -> Result<PathBuf> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/lab");
    std::fs::create_dir_all(&top).attempt(|| format!("create {}", top.display()))?;
    let top = top
        .canonicalize()
        .attempt(|| "find target/lab".to_owned())?;
    let out = top.join(format!("{}-{}", recipe.name, digest(recipe)));
    if out.exists() {
        return Ok(out);
    }
    let from = recipe
        .from
        .iter()
        .map(|from| built(from))
        .collect::<Result<Vec<_>>>()?;
    let lock = top.join(format!("{}.lock", recipe.name));
    let lock = File::create(&lock).attempt(|| format!("create {}", lock.display()))?;
    lock.lock()
        .attempt(|| format!("wait for the recipe {}", recipe.name))?;
    if !out.exists() {
        build(recipe, &from, &top, &out)?;
    }
    Ok(out)
}

fn build(recipe: &Recipe, from: &[PathBuf], top: &Path, out: &Path) -> Result<()> {
    for program in [
        "unshare",
        "debootstrap",
        "dpkg-scanpackages",
        "createrepo_c",
        "rpmbuild",
        "python3",
    ] {
        require(program)?;
    }
    let (script, part) = (
        top.join(format!("{}.sh", recipe.name)),
        top.join(format!("{}.part", recipe.name)),
    );
    std::fs::write(&script, recipe.text).attempt(|| format!("write {}", script.display()))?;
    if part.exists() {
        std::fs::remove_dir_all(&part).attempt(|| format!("remove {}", part.display()))?;
    }
    let log = top.join(format!("{}.log", recipe.name));
    let open = || File::create(&log).attempt(|| format!("create {}", log.display()));
    // A namespace of its own: mounts and processes of an interrupted recipe vanish with it.
    let mut command = Command::new(if recipe.needs_root { "unshare" } else { "sh" });
    if recipe.needs_root {
        command.args([
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
            "sh",
        ]);
    }
    command
        .arg(&script)
        .args(from.iter().take(1))
        .arg(&part)
        .args(from.iter().skip(1));
    let status = command.stdout(open()?).stderr(open()?).status();
    let status = status.attempt(|| format!("start the recipe {}", recipe.name))?;
    if !status.success() {
        return Err(LabError::Recipe {
            name: recipe.name.to_owned(),
            log: tail(&log),
        });
    }
    std::fs::rename(&part, out).attempt(|| format!("rename to {}", out.display()))
}

/// A self-signed certificate for `address` in `folder`; gives certificate and key.
pub(super) fn certificate(folder: &Path, address: &str) -> Result<(PathBuf, PathBuf)> {
    require("openssl")?;
    let (certificate, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let mut command = Command::new("openssl");
    command.args(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj"
            .split(' '),
    );
    command.args([
        "/CN=hostler-lab",
        "-addext",
        &format!("subjectAltName=IP:{address}"),
        "-keyout",
    ]);
    command.arg(&key).arg("-out").arg(&certificate);
    supervise::run(command, "openssl")?;
    Ok((certificate, key))
}
