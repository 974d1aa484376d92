//! The event of the work queue: syncs each order it names.

use lambda_runtime::{Error, LambdaEvent, run, service_fn};
use purser_lambda::Function;
use purser_runtime::deliveries::QueueEvent;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = Function::start("worker").await?;
    run(service_fn(|event: LambdaEvent<QueueEvent>| {
        function.work(event)
    }))
    .await
}
