//! The command line: one file a family of commands.

mod agree;
mod approve;
mod ask;
pub mod asked;
mod budget;
mod copies;
mod debt;
mod defer;
mod doctor;
mod duration;
mod follow;
mod freeze;
mod general;
mod inputs;
mod lease;
mod ledger;
mod notice;
mod people;
mod plugin;
mod policy;
mod question;
mod receipt;
mod run;
mod runbook;
mod schedule;
pub mod serve;
mod session;
pub mod show;
mod simulate;
mod step_up;
mod store;
mod token;
mod upkeep;

use crate::config::{self, Config, ConfigError, Sources};
use crate::dev;
use crate::failure::Failure;
use crate::output::{Format, Output};
use clap::{Args, CommandFactory, Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Automated server operations that ask before they act and can show what they did.
#[derive(Parser)]
#[command(
    name = "hostler",
    version,
    propagate_version = true,
    max_term_width = 100
)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
pub struct Global {
    /// How data is printed
    #[arg(short = 'o', long, global = true, value_enum, default_value_t)]
    output: Format,
    /// Print data and faults only
    #[arg(short, long, global = true)]
    quiet: bool,
    /// No colours (also: NO_COLOR)
    #[arg(long, global = true)]
    no_color: bool,
    /// Configuration file (default: hostler.toml, if it is there)
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// One setting: section.key=value
    #[arg(long, global = true, value_name = "SETTING")]
    set: Vec<String>,
    /// Address of the running engine
    #[arg(long, global = true, value_name = "URL", env = "HOSTLER_ADDRESS")]
    server: Option<String>,
    /// Token of the person who acts
    #[arg(
        long,
        global = true,
        env = "HOSTLER_TOKEN",
        hide_env_values = true,
        hide = true
    )]
    token: Option<String>,
    /// Act as this person of the practice estate
    #[arg(long = "as", global = true, value_name = "PERSON")]
    person: Option<String>,
    /// Folder in which `hostler dev` keeps its state
    #[arg(long, global = true, value_name = "FOLDER", default_value = ".hostler")]
    state_folder: PathBuf,
}

#[derive(Subcommand)]
enum Command {
    /// Everything in one process: practice estate, mail catcher, one user per role
    Dev(dev::DevArgs),
    /// The API and the workers
    Serve(serve::ServeArgs),
    /// Workers only, beside other processes on the same Redis
    Worker,
    /// Look at configuration, estate, runbooks, plugins and store, and say what is wrong
    Doctor,
    /// Make lists and summaries anew from the logs
    Reindex,
    /// The store: its state, and the decision when it has gone back
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Copy the whole store into one file, while the engine runs
    Backup(copies::BackupArgs),
    /// Make a store from such a file, while no engine runs
    Restore(copies::RestoreArgs),
    /// Settings
    #[command(subcommand)]
    Config(general::ConfigCommand),
    /// Runbooks: check, look at, release
    #[command(subcommand)]
    Runbook(runbook::RunbookCommand),
    /// Runs: start, watch, steer
    #[command(subcommand)]
    Run(run::RunCommand),
    /// Schedules: when they fire, what they have started, stop and go on
    #[command(subcommand)]
    Schedule(schedule::ScheduleCommand),
    /// Policies: whether they are sound, and what holds
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// What a cycle would do in a month, and what stands in its way; nothing runs
    Simulate(simulate::SimulateArgs),
    /// What is owed since an emergency, and what it holds
    #[command(subcommand)]
    Debt(debt::DebtCommand),
    /// Leases: what will end later by itself
    #[command(subcommand)]
    Lease(lease::LeaseCommand),
    /// Budgets of disruption: how much customers were disturbed
    #[command(subcommand)]
    Budget(budget::BudgetCommand),
    /// How long calls took, which windows are fitted by
    #[command(subcommand)]
    Duration(duration::DurationCommand),
    /// Times in which nothing is disturbed
    #[command(subcommand)]
    Freeze(freeze::FreezeCommand),
    /// Approvals and ways out
    #[command(subcommand)]
    Approve(approve::ApproveCommand),
    /// Forms that wait for an answer
    #[command(subcommand)]
    Ask(ask::AskCommand),
    /// Messages to customers
    #[command(subcommand)]
    Notice(notice::NoticeCommand),
    /// Who is told only what they must have
    #[command(subcommand)]
    People(people::PeopleCommand),
    /// Plugins: installed ones, and writing new ones
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Locks of assets and slots of connections
    #[command(subcommand)]
    Lock(general::LockCommand),
    /// The tamper-evident record: verify, export, keys
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Tokens of people
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Completions for a shell
    Completions { shell: clap_complete::Shell },
}

/// What commands work with.
pub struct Context {
    pub out: Output,
    global: Global,
}

impl Context {
    /// # Errors
    /// For a setting that is none.
    pub fn config(&self) -> Result<Config, Failure> {
        let sources = Sources {
            file: self.global.config.clone(),
            environment: std::env::vars().collect(),
            set: self.global.set.clone(),
        };
        config::load(&sources).map_err(|fault: ConfigError| Failure::Invalid(fault.to_string()))
    }

    pub fn state_folder(&self) -> &std::path::Path {
        &self.global.state_folder
    }
}

/// Who sits at the keyboard, as the system says: for what is done while no engine runs.
fn user() -> String {
    let known = |wanted: &str| {
        let mut all = std::env::vars();
        all.find_map(|(name, value)| (name == wanted && !value.is_empty()).then_some(value))
    };
    let user = known("SUDO_USER").or_else(|| known("USER"));
    user.unwrap_or_else(|| "unknown".to_owned())
}

/// Reads the command line, does it, and says how it went.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(fault) => {
            let _ = fault.print();
            return if fault.use_stderr() {
                ExitCode::from(2)
            } else {
                ExitCode::SUCCESS
            };
        }
    };
    let Cli { global, command } = cli;
    let no_color = global.no_color
        || std::env::vars().any(|(name, value)| name == "NO_COLOR" && !value.is_empty());
    let is_terminal = std::io::IsTerminal::is_terminal(&std::io::stdout());
    let color = !no_color && is_terminal && global.output == Format::Table;
    let out = Output {
        format: global.output,
        quiet: global.quiet,
        color,
    };
    let context = Context { out, global };
    let runtime = match tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime,
        Err(fault) => return told(&fault.into()),
    };
    match runtime.block_on(dispatch(&context, command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => told(&failure),
    }
}

fn told(failure: &Failure) -> ExitCode {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "hostler: {failure}");
    failure.exit()
}

async fn dispatch(context: &Context, command: Command) -> Result<(), Failure> {
    match command {
        Command::Dev(args) => dev::run(context, args).await,
        Command::Serve(args) => serve::serve(context, args).await,
        Command::Worker => serve::worker(context).await,
        Command::Doctor => doctor::doctor(context).await,
        Command::Reindex => upkeep::reindex(context).await,
        Command::Store(command) => store::run(context, command).await,
        Command::Backup(args) => copies::backup(context, &args).await,
        Command::Restore(args) => copies::restore(context, &args).await,
        Command::Config(command) => general::config(context, &command),
        Command::Runbook(command) => runbook::run(context, command).await,
        Command::Run(command) => run::run(context, command).await,
        Command::Schedule(command) => schedule::run(context, command).await,
        Command::Policy(command) => policy::run(context, &command),
        Command::Simulate(args) => simulate::run(context, &args).await,
        Command::Debt(command) => debt::run(context, command).await,
        Command::Lease(command) => lease::run(context, command).await,
        Command::Budget(command) => budget::run(context, command).await,
        Command::Duration(command) => duration::run(context, command).await,
        Command::Freeze(command) => freeze::run(context, command).await,
        Command::Approve(command) => approve::run(context, command).await,
        Command::Ask(command) => ask::run(context, command).await,
        Command::Notice(command) => notice::run(context, command).await,
        Command::People(command) => people::run(context, command).await,
        Command::Plugin(command) => plugin::run(context, command).await,
        Command::Lock(command) => general::lock(context, &command).await,
        Command::Ledger(command) => ledger::run(context, command).await,
        Command::Token(command) => token::run(context, command),
        Command::Completions { shell } => {
            let mut bytes = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "hostler", &mut bytes);
            crate::output::print(&String::from_utf8_lossy(&bytes))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// clap finds such a clash only when the command is used, and then by a panic.
    #[test]
    fn no_command_has_an_option_of_the_name_of_a_global_one() {
        fn below(command: &clap::Command, globals: &[String], found: &mut Vec<String>) {
            for inner in command.get_subcommands() {
                let own = inner
                    .get_arguments()
                    .map(|option| option.get_id().to_string());
                let clashes = own.filter(|id| globals.contains(id));
                found.extend(clashes.map(|id| format!("{} {id}", inner.get_name())));
                below(inner, globals, found);
            }
        }
        let command = Cli::command();
        let globals = command
            .get_arguments()
            .filter(|option| option.is_global_set());
        let globals: Vec<String> = globals.map(|option| option.get_id().to_string()).collect();
        assert!(globals.contains(&"output".to_owned()));
        let mut found = Vec::new();
        below(&command, &globals, &mut found);
        assert_eq!(found, Vec::<String>::new());
    }
}
