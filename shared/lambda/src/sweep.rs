//! The sweeper's invocations.

use std::time::Duration;

use lambda_http::BoxFuture;
use lambda_runtime::{Error, LambdaEvent};
use purser_runtime::sweeps::{self, SweepEvent, SweepTask};
use serde_json::{Value, json};

use crate::function::{Function, trace};

/// How long mails are sent for. Less than the minute between two starts, so that two never send the
/// same mail.
const MAIL_TIME: Duration = Duration::from_secs(45);

impl Function {
    /// Does what the event says.
    pub fn sweep(&self, event: LambdaEvent<Value>) -> BoxFuture<'_, Result<Value, Error>> {
        Box::pin(async move {
            self.refresh().await;
            let trace = trace(&event.context);
            let event: SweepEvent = serde_json::from_value(event.payload)?;
            if event.version != 1 {
                return Err(format!("the event is of version {}", event.version).into());
            }
            match event.task {
                SweepTask::Sweep => Ok(json!(sweeps::sweep(&self.engine, trace).await?)),
                SweepTask::Mail => {
                    if let Some(mailer) = &self.mail {
                        sweeps::mail(&self.engine, mailer, MAIL_TIME).await?;
                    }
                    Ok(Value::Null)
                }
            }
        })
    }
}
