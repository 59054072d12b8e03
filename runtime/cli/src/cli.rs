//! The command line.

mod access;
mod attempts;
mod audit;
mod bench;
mod export;
mod import;
mod key;
mod plugin;
mod rules;
mod store;
mod tls;
mod user;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context as _, Result};
use clap::{Args, Parser, Subcommand};
use tokio::net::TcpListener;

use crate::demo::{self, Demo};
use crate::repository::Repository;
use server::config::{self, Config};
use server::serve::Server;

/// Ferrule takes telecom orders over the TM Forum APIs, decomposes them by rules, and carries out
/// the resulting plans through sandboxed plugins. State is durable.
#[derive(Debug, Parser)]
#[command(name = "ferrule", version, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Take orders.
    Serve(Serve),
    /// Build the plugins, take one real order against a simulated network, and show what happens.
    Demo(DemoArgs),
    /// Play the network elements: a process of its own, with faults that can be switched on.
    Simnet {
        /// Where to listen.
        #[arg(long, default_value = "127.0.0.1:9100")]
        listen: SocketAddr,
        /// Listen beyond loopback too: any client that reaches it can change what it simulates.
        #[arg(long)]
        expose: bool,
    },
    /// Build and check plugins.
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Check packs, and see what an order becomes.
    #[command(subcommand)]
    Rules(rules::Rules),
    /// Look after the data of a server; but for backups, of one that does not run.
    #[command(subcommand)]
    Store(store::Store),
    /// Verify the audit: who changed what, when, from where and why.
    #[command(subcommand)]
    Audit(audit::Audit),
    /// Take documents into a server that runs, from a file with one on each line.
    Import(import::Import),
    /// Write the documents of a server that runs to a file, one on each line.
    Export(export::Export),
    /// Show what plugins did for an order: each attempt with what it took; of one task also its HTTP
    /// exchanges and its log.
    Attempts(attempts::Attempts),
    /// Show who a server that runs takes you for, and what your roles allow.
    Access(access::Access),
    /// Make, list and revoke API keys.
    #[command(subcommand)]
    Key(key::Key),
    /// Make certificates for a lab.
    #[command(subcommand)]
    Tls(tls::Tls),
    /// Hash the passwords of local users.
    #[command(subcommand)]
    User(user::User),
    /// Print every setting with its default: the beginning of a `ferrule.toml`.
    Settings,
    /// Put load on a server that runs, and measure.
    Bench(bench::Bench),
    /// Compile one plugin within limits: the server calls this for itself.
    #[command(hide = true)]
    CompilePlugin {
        /// Memory in MiB, processor time in seconds, and the size of the component in bytes.
        numbers: Vec<String>,
    },
}

#[derive(Debug, Args)]
struct Serve {
    /// The settings.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Where to listen.
    #[arg(long)]
    listen: Option<SocketAddr>,
    /// The folder of the store.
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// The folder that plugins are dropped into.
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,
    /// The folder with a folder for each pack.
    #[arg(long, value_name = "DIR")]
    workflows: Option<PathBuf>,
    /// Commit every step before the next begins, even where the difference cannot be observed.
    #[arg(long)]
    commit_each_step: bool,
    /// Use this repository's packs and plugins, and a simulated network.
    #[arg(long)]
    demo: bool,
    /// With --demo: the simulated network that runs elsewhere.
    #[arg(long, value_name = "URL", requires = "demo")]
    simnet: Option<String>,
}

#[derive(Debug, Args)]
struct DemoArgs {
    /// Where to listen; any free port by default.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// A simulated network that runs elsewhere.
    #[arg(long, value_name = "URL")]
    simnet: Option<String>,
    /// Go on serving afterwards.
    #[arg(long)]
    keep: bool,
    /// Another order to send.
    #[arg(long, value_name = "FILE")]
    order: Option<PathBuf>,
}

impl Cli {
    /// The arguments of the compiler, where this process is to be one.
    pub(crate) fn compiles(&self) -> Option<&[String]> {
        if let Command::CompilePlugin { numbers } = &self.command { Some(numbers) } else { None }
    }
}

/// A command that was not meant so: nothing was looked at. The process ends with 2, as for an option
/// that does not exist, and not with 1, which is for what was found.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Usage(String);

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> Result<()> {
    match cli.command {
        Command::Serve(arguments) => run_serve(arguments).await,
        Command::Demo(arguments) => run_demo(arguments).await,
        Command::Simnet { listen, expose } => run_simnet(listen, expose).await,
        Command::Plugin(command) => plugin::run(command).await,
        Command::Rules(command) => rules::run(command).await,
        Command::Store(command) => store::run(command).await,
        Command::Audit(command) => audit::run(command).await,
        Command::Import(command) => import::run(command).await,
        Command::Attempts(command) => attempts::run(command).await,
        Command::Export(command) => export::run(command).await,
        Command::Access(command) => access::run(&command).await,
        Command::Key(command) => key::run(command).await,
        Command::Tls(command) => tls::run(command),
        Command::User(command) => user::run(&command),
        Command::Settings => say(config::SETTINGS.trim_end()),
        Command::Bench(command) => bench::run(command).await,
        // `main` takes it before anything else is started.
        Command::CompilePlugin { .. } => Ok(()),
    }
}

async fn run_serve(arguments: Serve) -> Result<()> {
    let mut config = Config::read(arguments.config.as_deref())?;
    config.commit_each_step |= arguments.commit_each_step;
    let mut network = None;
    if arguments.demo {
        let repository = Repository::find()?;
        let simnet = match arguments.simnet {
            Some(url) => url,
            None => demo::start_simnet().await?,
        };
        config = tokio::task::block_in_place(|| demo::config(config, &repository, &simnet))?;
        network = Some(simnet);
    }
    config.listen = arguments.listen.unwrap_or(config.listen);
    config.data = arguments.data.unwrap_or(config.data);
    config.plugins_dir = arguments.plugins.unwrap_or(config.plugins_dir);
    config.workflows_dir = arguments.workflows.unwrap_or(config.workflows_dir);
    let mut shutdown = std::pin::pin!(server::shutdown());
    // A node that stands by starts when it leads, which may never be.
    let server = tokio::select! {
        server = Box::pin(Server::start(config)) => server?,
        () = &mut shutdown => return Ok(()),
    };
    tracing::info!(address = %server.address, "listening, plugins are taken in");
    tokio::select! {
        _plugins = server.plugins() => {}
        () = &mut shutdown => return Ok(server.run(std::future::ready(())).await?),
    }
    say(&format!("Ferrule serves {}://{}", server.scheme, server.address))?;
    if let Some(url) = network {
        say(&format!("The simulated network is at {url}"))?;
    }
    server.run(shutdown).await?;
    Ok(())
}

async fn run_demo(arguments: DemoArgs) -> Result<()> {
    let order = match arguments.order {
        None => None,
        Some(path) => {
            let text = std::fs::read_to_string(&path)
                .with_context(|| format!("cannot read `{}`", path.display()))?;
            let order = serde_json::from_str(&text)
                .with_context(|| format!("`{}` is not JSON", path.display()))?;
            Some(order)
        }
    };
    let demo =
        Demo { listen: arguments.listen, simnet: arguments.simnet, keep: arguments.keep, order };
    demo::run(demo, std::io::stdout()).await
}

async fn run_simnet(listen: SocketAddr, expose: bool) -> Result<()> {
    anyhow::ensure!(
        expose || listen.ip().is_loopback(),
        "`{listen}` can be reached from other machines, and the simulated network knows no \
         authentication: listen on 127.0.0.1, or say --expose"
    );
    let listener = TcpListener::bind(listen)
        .await
        .with_context(|| format!("cannot listen on `{listen}`: is something else there?"))?;
    say(&format!("The simulated network is at http://{}", listener.local_addr()?))?;
    simnet::serve(listener, server::shutdown()).await?;
    Ok(())
}

/// Prints a line and flushes it, for programs that wait for it. Characters that command a terminal are escaped.
fn say(line: &str) -> Result<()> {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", crate::report::plain(line))?;
    Ok(out.flush()?)
}
