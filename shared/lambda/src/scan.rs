//! The scanner's invocations.

use lambda_http::BoxFuture;
use lambda_runtime::{Error, LambdaEvent};
use purser_runtime::handlers::{self, ScanEvent};
use serde_json::{Value, json};

use crate::function::{Function, trace};

impl Function {
    /// Scans one tenant. A second event for the same run does nothing; one that cannot be
    /// understood is an error, and the sweeper starts the run in its place.
    pub fn scan(&self, event: LambdaEvent<Value>) -> BoxFuture<'_, Result<Value, Error>> {
        Box::pin(async move {
            self.refresh().await;
            let trace = trace(&event.context);
            let event: ScanEvent = serde_json::from_value(event.payload)?;
            if event.version != 1 {
                return Err(format!("the event is of version {}", event.version).into());
            }
            match handlers::scan(&self.engine, &event, trace).await {
                Ok(report) => Ok(json!({ "repeated": report.is_none() })),
                Err(error) => {
                    self.doubt_secrets();
                    Err(error.into())
                }
            }
        })
    }
}
