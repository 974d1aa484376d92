//! The event of a one-time schedule: scans one tenant and queues its eligible orders.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use purser_lambda::Function;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = Function::start("scanner").await?;
    run(service_fn(|event: LambdaEvent<Value>| function.scan(event))).await
}
