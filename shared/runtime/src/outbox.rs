//! Sends what stands in the outbox, when a relay is configured; else it stays there to be read.

use jiff::Timestamp;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor, message::Mailbox};
use purser_core::ports::{Mail, Mailer, Outbox, Posted, StoreError};
use secrecy::ExposeSecret as _;

use crate::configuration::MailRelay;

/// The most mails sent in one go.
const BATCH: u32 = 20;

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

/// Sends what is unsent. What cannot be sent now stays and is tried again the next time; what can
/// never be sent is noted, so that it holds up nothing. Returns whether it makes no sense to go on.
pub async fn send_all(
    mailer: &impl Mailer,
    outbox: &impl Outbox,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let unsent = outbox.unsent(BATCH).await?;
    let is_all = unsent.len() < BATCH as usize;
    for (id, mail) in unsent {
        match mailer.post(&mail).await {
            Posted::Sent => {}
            Posted::Refused => tracing::warn!(mail.id = id, "a mail was refused for good"),
            Posted::Later => {
                tracing::warn!(mail.id = id, "a mail was not taken; it is tried again");
                return Ok(true);
            }
        }
        outbox.sent(id, now).await?;
    }
    Ok(is_all)
}
