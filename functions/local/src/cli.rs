//! The command line.

#![expect(
    clippy::doc_markdown,
    reason = "these comments are the help that people read"
)]

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use purser_core::ids::{OrderId, RealmId, TenantId};

/// Purser moves Autotask purchase orders into QuickBooks Online as bills, once each.
///
/// Without a command it runs the demo: stand-ins for both systems with a believable company, kept
/// in ./purser-data (or PURSER_DATA).
#[derive(Debug, Parser)]
#[command(name = "purser", version, max_term_width = 100, after_help = EXAMPLES)]
pub(crate) struct Cli {
    /// Print machine-readable JSON on standard output
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Which tenant is meant; needed only when there are several
    #[arg(long, short, global = true, value_name = "NAME")]
    pub(crate) tenant: Option<TenantId>,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  purser                                run the demo and keep it running
  purser demo --once --json             one run of the demo, as JSON
  purser connection add --help          what a real connection needs
  purser run --once --settle            one run, and wait for what waits
  purser retry --all                    try every refused order again

Exit codes: 0 all well; 1 some orders were refused; 2 wrong use or configuration;
3 an outside system cannot be reached; 4 some orders are still waiting.

Environment: PURSER_DATA, PURSER_PUBLIC_URL, PURSER_AUTOTASK_ZONE_URL, PURSER_QUICKBOOKS_URL,
PURSER_INTUIT_DISCOVERY_URL, PURSER_INTUIT_CLIENT_ID, PURSER_INTUIT_CLIENT_SECRET, PURSER_SMTP_URL,
PURSER_MAIL_FROM, PURSER_ALLOW_LOCAL_ENDPOINTS, PURSER_TIME_SCALE, PURSER_LOG, PURSER_METRICS (see
the README).";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run the demo: simulators, a demo company, and the engine
    Demo(DemoArgs),
    /// Keep transferring orders of every connected tenant, and serve the web application
    Serve(ServeArgs),
    /// Transfer what is eligible now
    Run(RunArgs),
    /// Add, list or remove the connections of a tenant
    #[command(subcommand)]
    Connection(ConnectionCommand),
    /// Show, export or import the settings of a tenant
    #[command(subcommand)]
    Settings(SettingsCommand),
    /// Look which orders are eligible and why the others are not; changes nothing
    Scan,
    /// Show the bill an order would become; changes nothing
    Preview {
        /// The id of the order in Autotask (not its number)
        order: OrderId,
    },
    /// Transfer one order now, whatever its age
    Sync(SyncArgs),
    /// Try refused orders again, although Autotask shows ERROR
    Retry(RetryArgs),
    /// Show what became of the orders, or the whole story of one
    Logs(LogsArgs),
    /// Look at both connections and say what would go wrong
    Check,
    /// Show e-mails that wait to be sent or were kept because no relay is configured
    Outbox {
        /// At most this many
        #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
        limit: u32,
    },
    /// Serve stand-ins for Autotask, QuickBooks and Intuit on this machine
    Simulators(SimulatorsArgs),
}

#[derive(Args, Debug, Default)]
pub(crate) struct DemoArgs {
    /// Do one run and end
    #[arg(long)]
    pub(crate) once: bool,
    /// The port of the simulators; a free one when not given
    #[arg(long, default_value_t = 0)]
    pub(crate) port: u16,
    /// The port of the web application; 8080, or a free one, when not given
    #[arg(long)]
    pub(crate) web_port: Option<u16>,
}

#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// The port of the web application, at 127.0.0.1
    #[arg(long, default_value_t = crate::web::PORT)]
    pub(crate) port: u16,
}

#[derive(Args, Debug)]
pub(crate) struct RunArgs {
    /// Do one run and end: each eligible order is attempted once
    #[arg(long, required = true)]
    pub(crate) once: bool,
    /// Also wait for the orders that wait or are in doubt
    #[arg(long)]
    pub(crate) settle: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ConnectionCommand {
    /// Connect a tenant; both sides are tried before anything is stored
    Add(ConnectionAddArgs),
    /// List the tenants and the state of their connections
    List,
    /// Disconnect a tenant; its settings and history stay unless --forget is given
    Remove {
        /// The tenant; the same as --tenant
        name: Option<TenantId>,
        /// Also remove its settings, its history and everything else stored about it
        #[arg(long)]
        forget: bool,
    },
}

#[derive(Args, Debug)]
pub(crate) struct ConnectionAddArgs {
    /// A short name for the tenant (lower-case letters, digits, hyphens); the same as --tenant
    pub(crate) name: Option<TenantId>,
    /// The API user's name in Autotask (it looks like an e-mail address)
    #[arg(long, value_name = "USER")]
    pub(crate) autotask_user: Option<String>,
    /// A file that holds the API user's secret; asked for at a prompt when not given
    #[arg(long, value_name = "FILE")]
    pub(crate) autotask_secret_file: Option<PathBuf>,
    /// The integration code (tracking identifier) of the API user
    #[arg(long, value_name = "CODE")]
    pub(crate) integration_code: Option<String>,
    /// The QuickBooks company (realm) id
    #[arg(long, value_name = "REALM")]
    pub(crate) realm: Option<RealmId>,
    /// A file that holds a QuickBooks refresh token for that company
    #[arg(long, value_name = "FILE")]
    pub(crate) refresh_token_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Show the settings
    Show,
    /// List what the pick lists offer right now
    Choices,
    /// Print the settings as JSON that `import` takes
    Export,
    /// Check and store settings from a JSON file ("-" reads standard input)
    Import {
        /// The file
        file: PathBuf,
    },
}

#[derive(Args, Debug)]
pub(crate) struct SyncArgs {
    /// The id of the order in Autotask (not its number)
    pub(crate) order: OrderId,
    /// Where the result goes by e-mail
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_to: Option<String>,
}

#[derive(Args, Debug)]
#[command(override_usage = "purser retry [OPTIONS] <ORDER>\n       purser retry [OPTIONS] --all")]
pub(crate) struct RetryArgs {
    /// The id of the order in Autotask
    #[arg(required_unless_present = "all")]
    pub(crate) order: Option<OrderId>,
    /// Every order that needs a person
    #[arg(long, conflicts_with = "order")]
    pub(crate) all: bool,
    /// With --all: only those with this code, such as item.missing
    #[arg(long, requires = "all", conflicts_with = "order", value_name = "CODE")]
    pub(crate) code: Option<String>,
    /// Where the result goes by e-mail
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) mail_to: Option<String>,
}

#[derive(Args, Debug)]
pub(crate) struct LogsArgs {
    /// One order: its whole story
    pub(crate) order: Option<OrderId>,
    /// Only orders that need a person
    #[arg(long)]
    pub(crate) failed: bool,
    /// At most this many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
}

#[derive(Args, Debug)]
pub(crate) struct SimulatorsArgs {
    /// The port to listen on, at 127.0.0.1
    #[arg(long, default_value_t = 4600)]
    pub(crate) port: u16,
    /// The folder that keeps their state; in the data folder when not given
    #[arg(long, value_name = "DIR")]
    pub(crate) state: Option<PathBuf>,
    /// Start with this many plain orders of one company instead of the demo world
    #[arg(long, value_name = "ORDERS")]
    pub(crate) plain: Option<u32>,
    /// Lift the vendors' limits on calls, and the time a call takes
    #[arg(long)]
    pub(crate) no_limits: bool,
}
