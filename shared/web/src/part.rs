//! The parts of the application that AWS runs as functions of their own: which one answers what,
//! and that none carries the code of another.

use std::pin::Pin;

use http::StatusCode;

use crate::{
    answer::Answer,
    app::{Seat, SetCookies, Web},
    assets,
    call::Call,
    error::WebError,
    openapi,
    ports::LivePorts,
    routes::{Function, Open, Operation, Own, Work},
    session::Session,
};

/// The operations that are answered.
pub trait Part {
    /// The only function whose operations are answered; all of them when there is just one program.
    const FUNCTION: Option<Function>;
}

/// Every operation.
pub enum Whole {}

impl Part for Whole {
    const FUNCTION: Option<Function> = None;
}

macro_rules! parts {
    ($($name:ident),*) => {
        $(
            #[doc = concat!("The operations of [`Function::", stringify!($name), "`].")]
            pub enum $name {}

            impl Part for $name {
                const FUNCTION: Option<Function> = Some(Function::$name);
            }
        )*
    };
}

parts!(Oauth, Settings, SyncOne, Logs, Retry);

/// An answer on its way.
type Answering<'a> = Pin<Box<dyn Future<Output = Result<Answer, WebError>> + Send + 'a>>;

/// Whether a part answers what this function answers.
const fn answers(part: Option<Function>, wanted: Function) -> bool {
    match part {
        Some(ours) => ours as u8 == wanted as u8,
        None => true,
    }
}

/// A function must not attempt what another one has the keys for: its route is set up wrongly.
pub(crate) fn check<A: Part>(operation: Operation) -> Result<(), WebError> {
    let wanted = operation.function();
    if answers(A::FUNCTION, wanted) {
        return Ok(());
    }
    tracing::error!(
        function = wanted.as_str(),
        "a request was routed to another function"
    );
    Err(routed_wrongly())
}

fn routed_wrongly() -> WebError {
    WebError::new(
        StatusCode::MISDIRECTED_REQUEST,
        "request.routed",
        "This address is answered by another part of Purser.",
        "Tell whoever runs this installation that its routes are not those of the template.",
    )
}

/// The answer, decided while the program is built: where another part answers, the code of the
/// operation is left out, which is half of what a function would weigh.
macro_rules! answer {
    ($part:ty, $operation:expr, $answer:expr) => {
        if const { answers(<$part>::FUNCTION, $operation.function()) } {
            Box::pin($answer)
        } else {
            Box::pin(async { Err(routed_wrongly()) })
        }
    };
}

impl<P: LivePorts> Web<P> {
    pub(crate) fn open<'a, A: Part>(
        &'a self,
        open: Open,
        call: &'a Call,
        session: Option<&'a Session>,
        cookies: &'a mut SetCookies,
    ) -> Answering<'a> {
        answer!(
            A,
            Operation::Open(Open::Start),
            self.open_any(open, call, session, cookies)
        )
    }

    async fn open_any(
        &self,
        open: Open,
        call: &Call,
        session: Option<&Session>,
        cookies: &mut SetCookies,
    ) -> Result<Answer, WebError> {
        match open {
            Open::Start => Ok(Answer::to(if session.is_some() {
                "/home"
            } else {
                "/sign-in"
            })),
            Open::SignIn => Ok(self.sign_in_page(call, session)),
            Open::BeginSignIn => self.begin_sign_in(call, cookies).await,
            Open::Callback => self.callback(call, session, cookies).await,
            Open::Launch => Ok(Answer::to("/home")),
            Open::Reconnect => Ok(Answer::to("/connection")),
            Open::Disconnected => Ok(Self::disconnected_page()),
            Open::Help => Ok(Self::help_page(session)),
            Open::Link => self.link_page(call).await,
            Open::Style => Ok(assets::style()),
            Open::Script => Ok(assets::script()),
            Open::Icon => Ok(assets::icon()),
            Open::Document => Ok(openapi::answer()),
        }
    }

    pub(crate) fn own<'a, A: Part>(
        &'a self,
        own: Own,
        call: &'a Call,
        session: &'a Session,
        cookies: &'a mut SetCookies,
    ) -> Answering<'a> {
        answer!(
            A,
            Operation::Own(Own::Account),
            self.own_any(own, call, session, cookies)
        )
    }

    async fn own_any(
        &self,
        own: Own,
        call: &Call,
        session: &Session,
        cookies: &mut SetCookies,
    ) -> Result<Answer, WebError> {
        match own {
            Own::SignOut => self.sign_out(call, session, cookies).await,
            Own::EndMySessions => self.end_my_sessions(call, session, cookies).await,
            Own::Account => self.account(call, session).await,
            Own::Companies => self.companies(call, session).await,
            Own::ChooseCompany => self.choose_company(call, session).await,
            Own::AcceptInvitation => self.accept_invitation(call, session).await,
            Own::DeclineInvitation => self.decline_invitation(call, session).await,
            Own::LeaveCompany => self.leave_company(call, session).await,
            Own::SetUp => self.set_up(call, session).await,
            Own::BeginConnect => self.begin_connect(call, session, cookies).await,
            Own::UseLink => self.use_link(call, session).await,
        }
    }

    pub(crate) fn work<'a, A: Part>(
        &'a self,
        work: Work,
        call: &'a Call,
        seat: &'a Seat,
    ) -> Answering<'a> {
        match work {
            Work::Home => answer!(A, Work::Home, self.home(call, seat)),
            Work::Connection => answer!(A, Work::Connection, self.connection(call, seat)),
            Work::AutotaskForm => answer!(A, Work::AutotaskForm, self.autotask_form(seat)),
            Work::SaveAutotask => answer!(A, Work::SaveAutotask, self.save_autotask(call, seat)),
            Work::Check => answer!(A, Work::Check, self.check(seat)),
            Work::CheckAndResume => answer!(A, Work::CheckAndResume, self.check_and_resume(seat)),
            Work::DisconnectForm => answer!(A, Work::DisconnectForm, self.disconnect_form(seat)),
            Work::Disconnect => answer!(A, Work::Disconnect, self.disconnect(call, seat)),
            Work::StartTransfer => answer!(A, Work::StartTransfer, self.start_transfer(call, seat)),
            Work::RunNow => answer!(A, Work::RunNow, self.run_now(call, seat)),
            Work::SettingsForm => answer!(A, Work::SettingsForm, self.settings_form(seat)),
            Work::SaveSettings => answer!(A, Work::SaveSettings, self.save_settings(call, seat)),
            Work::SettingsDocument => {
                answer!(A, Work::SettingsDocument, self.settings_document(seat))
            }
            Work::ReplaceSettings => {
                answer!(A, Work::ReplaceSettings, self.replace_settings(call, seat))
            }
            Work::SettingsChoices => answer!(A, Work::SettingsChoices, self.settings_choices(seat)),
            Work::SettingsHistory => {
                answer!(A, Work::SettingsHistory, self.settings_history(call, seat))
            }
            Work::Transfer => answer!(A, Work::Transfer, self.transfer(seat)),
            Work::ImportSettings => {
                answer!(A, Work::ImportSettings, self.import_settings(call, seat))
            }
            Work::ExportSettings => answer!(A, Work::ExportSettings, self.export_settings(seat)),
            Work::SyncForm => answer!(
                A,
                Work::SyncForm,
                async move { Ok(Self::sync_form(call, seat)) }
            ),
            Work::SubmitSync => answer!(A, Work::SubmitSync, self.submit_sync(call, seat)),
            Work::Preview => answer!(A, Work::Preview, self.preview(call, seat)),
            Work::Sync => answer!(A, Work::Sync, self.sync(call, seat)),
            Work::Attempt => answer!(A, Work::Attempt, self.attempt(call, seat)),
            Work::Orders => answer!(A, Work::Orders, self.orders(call, seat)),
            Work::ExportOrders => answer!(A, Work::ExportOrders, self.export_orders(call, seat)),
            Work::Story => answer!(A, Work::Story, self.story(call, seat)),
            Work::SupportBundle => answer!(A, Work::SupportBundle, self.support_bundle(call, seat)),
            Work::Retry => answer!(A, Work::Retry, self.retry(call, seat)),
            Work::RetryAll => answer!(A, Work::RetryAll, self.retry_all(call, seat)),
            Work::People => answer!(A, Work::People, self.people(call, seat)),
            Work::Invite => answer!(A, Work::Invite, self.invite(call, seat)),
            Work::Withdraw => answer!(A, Work::Withdraw, self.withdraw(call, seat)),
            Work::ChangeRole => answer!(A, Work::ChangeRole, self.change_role(call, seat)),
            Work::RemoveMember => answer!(A, Work::RemoveMember, self.remove_member(call, seat)),
            Work::EndSessionsOf => {
                answer!(A, Work::EndSessionsOf, self.end_sessions_of(call, seat))
            }
            Work::Activity => answer!(A, Work::Activity, self.activity(call, seat)),
        }
    }
}
