//! The event of a recurring schedule: queues what is overdue, mends what broke, sends mail.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use purser_lambda::Function;
use serde_json::Value;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = Function::start("sweeper").await?;
    run(service_fn(|event: LambdaEvent<Value>| {
        function.sweep(event)
    }))
    .await
}
