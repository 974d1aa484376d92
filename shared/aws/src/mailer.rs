//! Mail through SES.

use aws_sdk_sesv2::{
    Client,
    operation::send_email::SendEmailError,
    types::{Body, Content, Destination, EmailContent, Message},
};
use purser_core::ports::{Mail, Mailer, Posted};

/// The way to SES.
#[derive(Clone, Debug)]
pub struct AwsMailer {
    client: Client,
    from: String,
}

impl AwsMailer {
    /// Mail in this sender's name, which must be verified.
    pub fn new(client: Client, from: String) -> Self {
        Self { client, from }
    }
}

impl Mailer for AwsMailer {
    async fn post(&self, mail: &Mail) -> Posted {
        let (Ok(subject), Ok(text)) = (content(&mail.subject), content(&mail.text)) else {
            return Posted::Refused;
        };
        let body = Body::builder().text(text).build();
        let message = Message::builder().subject(subject).body(body).build();
        let to = Destination::builder().to_addresses(&mail.to).build();
        let send = self
            .client
            .send_email()
            .from_email_address(&self.from)
            .destination(to)
            .content(EmailContent::builder().simple(message).build());
        match send.send().await {
            Ok(_) => Posted::Sent,
            Err(error) => match error.as_service_error() {
                // The addressee's address, not ours: an unverified sender is mended by a person.
                Some(SendEmailError::BadRequestException(_)) => Posted::Refused,
                // The content, or an addressee that a new account may not write to yet.
                Some(SendEmailError::MessageRejected(_)) => Posted::Deferred,
                _ => {
                    let why = crate::error::unavailable(&error);
                    tracing::warn!(%why, "a mail was not taken");
                    Posted::Later
                }
            },
        }
    }
}

fn content(text: &str) -> Result<Content, aws_sdk_sesv2::error::BuildError> {
    Content::builder().charset("UTF-8").data(text).build()
}
