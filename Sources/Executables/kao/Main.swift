// The metascheduler of a running OAR 2 server.

import CommandLine
import Controller
import PlannerCommands
import SiteCheck

@main
enum Main {
  static func main() async {
    let words = Array(Swift.CommandLine.arguments.dropFirst())
    // Almighty gives no words.
    guard !words.isEmpty else { await Metascheduler.main() }
    if SiteDoctor.isCall(words) { SiteDoctor.main(words) }
    MultiCall(program: "kao", commands: [("kao", KaoCommand.self)]).main(words: ["kao"] + words)
  }
}
