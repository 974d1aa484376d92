//! Sends what stands in the outbox, when a relay is configured; else it stays there to be read.

use std::time::Duration;

use jiff::Timestamp;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor, message::Mailbox};
use purser_core::{
    ports::{Clock, Mail, Mailer, Outbox, Posted, StoreError},
    record::later,
};
use secrecy::ExposeSecret as _;

use crate::configuration::MailRelay;

/// The most mails sent in one go.
const BATCH: u32 = 100;
/// A mail that nobody takes for so long is given up.
const GIVEN_UP: Duration = Duration::from_hours(72);

/// The way to one mail relay.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl SmtpMailer {
    /// Prepares the relay; nothing is sent yet. Fails when the address or sender cannot be used.
    pub fn new(relay: &MailRelay) -> Result<Self, String> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(relay.url.expose_secret());
        let transport = transport.map_err(|_| "the address of the mail relay cannot be used")?;
        let from = relay
            .from
            .parse()
            .map_err(|_| "the sender's address cannot be used")?;
        Ok(Self {
            transport: transport.build(),
            from,
        })
    }

    fn message(&self, mail: &Mail) -> Option<Message> {
        let to: Mailbox = mail.to.parse().ok()?;
        let builder = Message::builder().from(self.from.clone()).to(to);
        builder
            .subject(mail.subject.clone())
            .body(mail.text.clone())
            .ok()
    }
}

impl Mailer for SmtpMailer {
    async fn post(&self, mail: &Mail) -> Posted {
        let Some(message) = self.message(mail) else {
            return Posted::Refused;
        };
        match self.transport.send(message).await {
            Ok(_) => Posted::Sent,
            Err(error) if error.is_permanent() => Posted::Refused,
            Err(_) => Posted::Later,
        }
    }
}

/// Sends what is unsent, for as long as `until` is not over. What cannot be sent now stays and is tried
/// again the next time, for three days; what can never be sent is noted, so that it holds up nothing.
/// Returns whether it makes no sense to go on.
pub async fn send_all(
    mailer: &impl Mailer,
    outbox: &impl Outbox,
    clock: &impl Clock,
    until: Timestamp,
) -> Result<bool, StoreError> {
    let unsent = outbox.unsent(BATCH).await?;
    let mut are_more = unsent.len() == BATCH as usize;
    for (id, mail) in unsent {
        let now = clock.now();
        if now >= until {
            return Ok(true);
        }
        if later(mail.written_at, GIVEN_UP) < now {
            // Whoever begins to send mail must not send what is no news any more.
            tracing::error!(
                mail.id = id,
                "a mail was given up: nobody took it for three days"
            );
            outbox.sent(id, now).await?;
            continue;
        }
        match mailer.post(&mail).await {
            Posted::Sent => {}
            Posted::Refused => tracing::warn!(mail.id = id, "a mail was refused for good"),
            Posted::Deferred => {
                tracing::warn!(mail.id = id, "a mail was not taken; it is tried again");
                are_more = false;
                continue;
            }
            Posted::Later => {
                tracing::warn!(mail.id = id, "a mail was not taken; it is tried again");
                return Ok(true);
            }
        }
        outbox.sent(id, clock.now()).await?;
    }
    Ok(!are_more)
}
