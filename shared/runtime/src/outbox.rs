//! Sends what stands in the outbox, when a relay is configured; else it stays there to be read.

use jiff::Timestamp;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor, message::Mailbox};
use purser_core::ports::{Mail, Outbox, StoreError};
use secrecy::ExposeSecret as _;

use crate::configuration::MailRelay;

/// The most mails sent in one go.
const BATCH: u32 = 20;

/// The way to one mail relay.
pub struct Mailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
}

impl Mailer {
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

    /// Sends what is unsent. What cannot be sent stays and is tried again the next time.
    pub async fn send_all(&self, outbox: &impl Outbox, now: Timestamp) -> Result<(), StoreError> {
        for (id, mail) in outbox.unsent(BATCH).await? {
            let Some(message) = self.message(&mail) else {
                tracing::warn!(mail.id = id, "a mail has an address that cannot be used");
                outbox.sent(id, now).await?;
                continue;
            };
            match self.transport.send(message).await {
                Ok(_) => outbox.sent(id, now).await?,
                Err(error) if error.is_permanent() => {
                    tracing::warn!(mail.id = id, "the relay refused a mail for good");
                    outbox.sent(id, now).await?;
                }
                Err(_) => {
                    tracing::warn!(
                        mail.id = id,
                        "the relay did not take a mail; it is tried again"
                    );
                    break;
                }
            }
        }
        Ok(())
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
