//! Which template shows which view.

use askama::Template;

use crate::view::{self, Frame};

/// A view that can be shown as a page.
pub(crate) trait Page {
    /// The page as HTML.
    fn html(&self, frame: &Frame) -> askama::Result<String>;
}

macro_rules! pages {
    ($($page:ident: $view:ty = $path:literal;)*) => {$(
        #[derive(Template)]
        #[template(path = $path)]
        struct $page<'a> {
            frame: &'a Frame,
            view: &'a $view,
        }

        impl Page for $view {
            fn html(&self, frame: &Frame) -> askama::Result<String> {
                $page { frame, view: self }.render()
            }
        }
    )*};
}

pages! {
    AccountPage: view::Me = "account.html";
    ActivityPage: view::Activity = "activity.html";
    AdminLinkPage: view::AdminLinkView = "admin_link.html";
    AttemptPage: view::AttemptView = "attempt.html";
    AutotaskPage: view::AutotaskForm = "autotask.html";
    CheckPage: view::CheckView = "check.html";
    CompaniesPage: view::Companies = "companies.html";
    ConnectionsPage: view::ConnectionPage = "connection.html";
    DisconnectPage: view::DisconnectForm = "disconnect.html";
    DisconnectedPage: view::DisconnectedView = "disconnected.html";
    ErrorPage: view::ErrorView = "error.html";
    HelpPage: view::Help = "help.html";
    HomePage: view::Home = "home.html";
    OrdersPage: view::Orders = "orders.html";
    PeoplePage: view::People = "people.html";
    PreviewPage: view::PreviewView = "preview.html";
    SetUpPage: view::SetUp = "set_up.html";
    SettingsPage: view::SettingsForm = "settings.html";
    SettingsHistoryPage: view::SettingsHistory = "settings_history.html";
    SignInPage: view::SignInView = "sign_in.html";
    StoryPage: view::Story = "story.html";
    SyncPage: view::SyncForm = "sync.html";
    TransferPage: view::TransferView = "transfer.html";
}
