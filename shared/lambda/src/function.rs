//! A function put together: environment, clients, keys, engine. All of it once, while it starts.

use std::sync::Arc;

use lambda_http::BoxFuture;
use lambda_runtime::{Context, Error};
use purser_aws::{Access, AwsMailer, AwsQueue, AwsSchedule, AwsSecrets, AwsStore, ScheduleTarget};
use purser_core::{
    ids::{RunNumber, TenantId, TraceId},
    ports::Chance as _,
    settings::is_mail_address,
    usecase::{Engine, Ports},
};
use purser_runtime::{
    adapters::{SystemChance, SystemClock},
    configuration::Configuration,
    connections::Connections,
    handlers::ScanEvent,
    outside::LiveOutside,
    telemetry,
    vault::MasterKeys,
};
use purser_transport::HttpTransport;

use crate::{
    environment::{
        DEAD_LETTERS, Environment, MAIL_FROM, QUEUE, SCANNER, SCHEDULE_GROUP, SCHEDULE_ROLE, TABLE,
    },
    secrets::Secrets,
};

/// The adapters of a function.
pub struct FunctionPorts {
    store: Arc<AwsStore>,
    pub(crate) queue: AwsQueue,
    schedule: AwsSchedule,
    outside: LiveOutside<SystemClock, AwsStore>,
}

impl Ports for FunctionPorts {
    type Clock = SystemClock;
    type Chance = SystemChance;
    type Store = AwsStore;
    type Queue = AwsQueue;
    type Schedule = AwsSchedule;
    type Outside = LiveOutside<SystemClock, AwsStore>;

    fn clock(&self) -> &SystemClock {
        &SystemClock
    }

    fn chance(&self) -> &SystemChance {
        &SystemChance
    }

    fn store(&self) -> &AwsStore {
        &self.store
    }

    fn queue(&self) -> &AwsQueue {
        &self.queue
    }

    fn schedule(&self) -> &AwsSchedule {
        &self.schedule
    }

    fn outside(&self) -> &Self::Outside {
        &self.outside
    }
}

/// One function, ready to be invoked.
pub struct Function {
    pub(crate) engine: Arc<Engine<FunctionPorts>>,
    pub(crate) configuration: Configuration,
    pub(crate) mail: Option<AwsMailer>,
    keys: MasterKeys,
    secrets: Secrets,
}

impl Function {
    /// Starts the function of this name: reads its environment and secrets, and opens the
    /// connection to the table, so that the first invocation finds it open.
    pub fn start(name: &'static str) -> BoxFuture<'static, Result<Self, Error>> {
        Box::pin(async move {
            telemetry::start_function();
            let environment = Environment::of(name, |variable| std::env::var(variable).ok())?;
            environment.check()?;
            let configuration = environment.configuration()?;
            let access = Access::of_environment(|variable| std::env::var(variable).ok())?;
            let aws = access.configuration()?;
            let table = environment.get(TABLE).unwrap_or_default();
            let store = Arc::new(AwsStore::new(aws_sdk_dynamodb::Client::new(&aws), table));
            let secrets = AwsSecrets::new(aws_sdk_secretsmanager::Client::new(&aws));
            let secrets = Secrets::new(secrets, environment);
            let (keys, app, warm) = tokio::join!(secrets.keys(), secrets.app(), store.warm());
            warm?;
            let keys = MasterKeys::new(keys?);
            let connections = Arc::new(Connections::new(Arc::clone(&store), keys.clone()));
            let outside = LiveOutside::new(
                Arc::new(HttpTransport::new()?),
                Arc::new(SystemClock),
                configuration.policy,
                (configuration.endpoints.clone(), app?),
                (Arc::clone(&store), connections),
            );
            let ports = FunctionPorts {
                store,
                queue: AwsQueue::new(
                    aws_sdk_sqs::Client::new(&aws),
                    environment.get(QUEUE),
                    environment.get(DEAD_LETTERS),
                ),
                schedule: AwsSchedule::new(
                    aws_sdk_scheduler::Client::new(&aws),
                    target(environment),
                ),
                outside,
            };
            let engine_name = format!("{name}-{}", SystemChance.operation());
            let engine = Engine::new(ports, configuration.policy, engine_name);
            let sender = environment.get(MAIL_FROM);
            if sender.as_deref().is_some_and(|from| !is_mail_address(from)) {
                return Err(format!("{MAIL_FROM} is not an e-mail address").into());
            }
            let ses = || aws_sdk_sesv2::Client::new(&aws);
            Ok(Self {
                engine: Arc::new(engine),
                configuration,
                mail: sender.map(|from| AwsMailer::new(ses(), from)),
                keys,
                secrets,
            })
        })
    }

    /// What comes before every invocation: secrets that are too old are read again. When they
    /// cannot be, the function goes on with those it has.
    pub(crate) async fn refresh(&self) {
        if !self.keys.take_missed() && !self.secrets.are_due() {
            return;
        }
        let outside = self.engine.ports().outside();
        let put_app = |app: purser_runtime::configuration::IntuitApp| {
            if let Ok(oauth) = outside.oauth() {
                oauth.replace_app(app.client_id, app.client_secret);
            }
        };
        if let Err(error) = self.secrets.renew(&self.keys, put_app).await {
            tracing::warn!(%error, "the secrets could not be read again");
            self.secrets.doubt();
        }
    }

    /// What failed may have been sealed with a key that this function has not read yet.
    pub(crate) fn doubt_secrets(&self) {
        self.secrets.doubt();
    }
}

/// Where alarms go, when this function may arm any.
fn target(environment: Environment) -> Option<ScheduleTarget> {
    let event = |tenant: &TenantId, run: RunNumber| {
        serde_json::to_string(&ScanEvent::new(tenant.clone(), run)).unwrap_or_default()
    };
    Some(ScheduleTarget {
        group: environment.get(SCHEDULE_GROUP)?,
        function_arn: environment.get(SCANNER)?,
        role_arn: environment.get(SCHEDULE_ROLE)?,
        event,
    })
}

/// The trace that an invocation belongs to, in the form of X-Ray.
pub(crate) fn trace(context: &Context) -> Option<TraceId> {
    let header = context.xray_trace_id.as_deref()?;
    let root = header
        .split(';')
        .find_map(|part| part.trim().strip_prefix("Root="))?;
    root.parse().ok()
}
