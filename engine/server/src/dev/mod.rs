//! `hostler dev`: everything in one process, for learning and trying out.
//!
//! An embedded store in the state folder, the practice estate with its platform and its people, a mail
//! catcher. Listens on loopback only. Not here: anything that a real installation uses.

mod guide;
pub mod platform;
mod start;
pub mod state;
mod tour;

use crate::cli::Context;
use crate::failure::Failure;
use clap::Args;
use std::path::PathBuf;

#[derive(Args, Clone, Debug)]
pub struct DevArgs {
    /// Address and port of the API, on this machine
    #[arg(long, default_value = "127.0.0.1:7700")]
    pub listen: String,
    /// Folder with plugins.lock and the components
    #[arg(long, default_value = "target/plugins")]
    pub plugins: PathBuf,
    /// Folder with runbooks; without it, those that came with the program
    #[arg(long)]
    pub runbooks: Option<PathBuf>,
    /// Forget what earlier practice left
    #[arg(long)]
    pub fresh: bool,
    /// Play a whole cycle without help, check it, and end
    #[arg(long)]
    pub tour: bool,
}

/// Runs until somebody ends it, or the tour is over.
pub async fn run(context: &Context, args: DevArgs) -> Result<(), Failure> {
    let practice = start::start(context, &args).await?;
    let ended = if args.tour {
        tour::play(context, &practice).await
    } else {
        guide::guide(context, &practice).await
    };
    practice.stop().await?;
    ended
}
