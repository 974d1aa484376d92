//! Set-up in steps, each of which survives a reload: what is stored says which step is next.

use http::StatusCode;
use jiff::tz::TimeZone;
use purser_core::{ids::TenantId, settings::SettingsDocument};

use super::{home::Standing, settings::in_words};
use crate::{
    answer::Answer,
    app::{Seat, Web},
    call::Call,
    error::WebError,
    people::Role,
    ports::LivePorts,
    session::Session,
    view::{
        Counts, Done, FirstRun, LinkView, RunsView, SetUp, SetUpStep, SetUpStepName as Step,
        StepState,
    },
};

/// Numbers of orders that the review names.
const SHOWN: usize = 8;

/// The steps with their words and where they are done.
const STEPS: [(Step, &str, Option<&str>); 6] = [
    (Step::SignIn, "Sign in", None),
    (Step::QuickBooks, "Connect QuickBooks", None),
    (
        Step::Autotask,
        "Autotask credentials",
        Some("/connection/autotask"),
    ),
    (Step::Settings, "Settings", Some("/settings")),
    (Step::Review, "Review", None),
    (Step::Running, "First run", None),
];

/// The step that is next.
fn step_of(standing: Option<&Standing>) -> Step {
    let Some(standing) = standing else {
        return Step::QuickBooks;
    };
    match (standing.has_quickbooks, standing.has_autotask) {
        (false, _) => Step::QuickBooks,
        (true, false) => Step::Autotask,
        (true, true) if standing.settings.is_none() => Step::Settings,
        (true, true) if !standing.is_started() => Step::Review,
        (true, true) => Step::Running,
    }
}

const fn heading(step: Step) -> &'static str {
    match step {
        Step::SignIn => "Sign in",
        Step::QuickBooks => "Connect your QuickBooks company",
        Step::Autotask => "QuickBooks is connected. Now enter your Autotask credentials.",
        Step::Settings => "Step 1 Complete. Please Configure Settings.",
        Step::Review => "Step 2 Complete. Review your settings and connect.",
        Step::Running => "Connected. Orders are being transferred.",
    }
}

fn steps(step: Step) -> Vec<SetUpStep> {
    let shown = STEPS.iter().map(|(name, label, url)| {
        let state = match name.cmp(&step) {
            std::cmp::Ordering::Less => StepState::Done,
            std::cmp::Ordering::Equal => StepState::Current,
            std::cmp::Ordering::Greater => StepState::Later,
        };
        SetUpStep {
            name: *name,
            label,
            state,
            url: url.filter(|_| state != StepState::Later),
        }
    });
    shown.collect()
}

fn next(step: Step) -> Option<LinkView> {
    let (label, url) = match step {
        Step::Autotask => ("Enter Autotask credentials", "/connection/autotask"),
        Step::Settings => ("Settings", "/settings"),
        Step::Running => ("Home", "/home"),
        Step::SignIn | Step::QuickBooks | Step::Review => return None,
    };
    Some(LinkView {
        label: label.to_owned(),
        url: url.to_owned(),
        is_outside: false,
    })
}

impl<P: LivePorts> Web<P> {
    pub(crate) async fn set_up(&self, call: &Call, session: &Session) -> Result<Answer, WebError> {
        let is_new = call.query.get("new") == Some("1");
        let directory = self.directory(call.now);
        let mut tenant = session.tenant.clone().filter(|_| !is_new);
        let mut role = None;
        if let Some(known) = &tenant {
            role = directory.role(known, &session.person).await?;
            if role.is_none() {
                tenant = None;
            }
        }
        let standing = match &tenant {
            Some(tenant) => Some(self.standing(tenant).await?),
            None => None,
        };
        let step = step_of(standing.as_ref());
        let problem = session.problem.as_ref();
        let mut view = SetUp {
            step,
            heading: heading(step),
            steps: steps(step),
            company: None,
            review: Vec::new(),
            first_run: None,
            runs: RunsView::default(),
            counts: Counts::default(),
            newest: Vec::new(),
            problem: problem.map(crate::session::Problem::notice),
            ask: problem
                .map(|problem| problem.ask.clone())
                .unwrap_or_default(),
            next: next(step),
        };
        if let (Some(tenant), Some(standing)) = (&tenant, &standing) {
            view.company = standing.status.company_name.clone();
            view.runs = standing.runs();
            if step == Step::Review && role == Some(Role::Admin) {
                let settings = standing.settings.as_ref();
                let document = settings.map(SettingsDocument::from);
                view.review = document
                    .map(|document| in_words(&document))
                    .unwrap_or_default();
                view.first_run = self.first_run(tenant).await;
            }
            if step == Step::Running {
                view.counts = self.counts(tenant).await?;
                view.newest = self.newest(call, (tenant, &standing.status), "").await?;
            }
        }
        Ok(Answer::show(("Set up", "set-up"), view))
    }

    /// What the first run would take. A vendor that does not answer must not hold up the review.
    async fn first_run(&self, tenant: &TenantId) -> Option<FirstRun> {
        let seen = self.engine.look(tenant).await.ok()?;
        let mut eligible: Vec<_> = seen.into_iter().filter(|one| one.judged.is_ok()).collect();
        eligible.sort_by_key(|one| (one.order.created, one.order.id));
        let created = eligible.first().and_then(|one| one.order.created);
        let numbers = eligible.iter().take(SHOWN);
        Some(FirstRun {
            orders: eligible.len() as u64,
            oldest: created.map(|at| at.to_zoned_datetime(TimeZone::UTC).date().to_string()),
            numbers: numbers.map(|one| one.order.display_number()).collect(),
        })
    }

    /// Starts the transfer. Until then nothing is scanned; pressing twice starts one run.
    pub(crate) async fn start_transfer(
        &self,
        call: &Call,
        seat: &Seat,
    ) -> Result<Answer, WebError> {
        let standing = self.standing(&seat.tenant).await?;
        ready(&standing)?;
        if !standing.is_started() {
            self.engine.start_now(&seat.tenant).await?;
            let directory = self.directory(call.now);
            let text = "started the transfer.";
            directory
                .note(&seat.tenant, &seat.session.email, "transfer_started", text)
                .await?;
        }
        let done = Done {
            done: "The transfer has started; the first run begins at once.".to_owned(),
        };
        Ok(Answer::done(
            StatusCode::ACCEPTED,
            &done,
            "/set-up?done=started",
        ))
    }

    /// Starts the next run now. A run that is under way goes on, and no second one begins.
    pub(crate) async fn run_now(&self, call: &Call, seat: &Seat) -> Result<Answer, WebError> {
        let standing = self.standing(&seat.tenant).await?;
        ready(&standing)?;
        if !standing.runs().is_running {
            self.engine.start_now(&seat.tenant).await?;
            let directory = self.directory(call.now);
            directory
                .note(
                    &seat.tenant,
                    &seat.session.email,
                    "run_asked",
                    "asked for a run.",
                )
                .await?;
        }
        let done = Done {
            done: "A run begins now.".to_owned(),
        };
        Ok(Answer::done(StatusCode::ACCEPTED, &done, "/home?done=run"))
    }
}

fn ready(standing: &Standing) -> Result<(), WebError> {
    if standing.is_connected() && standing.settings.is_some() {
        return Ok(());
    }
    Err(WebError::new(
        StatusCode::CONFLICT,
        "set_up.incomplete",
        "Set-up is not complete: both connections and the settings are needed first.",
        "Go on with the step that Set up shows.",
    ))
}
