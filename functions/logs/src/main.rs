//! Home, what became of the orders, and the story of one.

use lambda_http::{Error, run, service_fn};
use purser_lambda::WebFunction;
use purser_web::Function;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = WebFunction::start(Function::Logs).await?;
    run(service_fn(|request| function.answer(request))).await
}
