//! Home, what became of the orders, and the story of one.

use lambda_http::{Error, run, service_fn};
use purser_lambda::WebFunction;
use purser_web::part::Logs;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let function = WebFunction::<Logs>::start().await?;
    run(service_fn(|request| function.answer(request))).await
}
