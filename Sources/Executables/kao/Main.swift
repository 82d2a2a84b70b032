// The metascheduler of a running OAR 2 server.

import CommandLine
import Controller
import PlannerCommands
import SiteCheck

@main
enum Main {
  static func main() {
    let words = Array(Swift.CommandLine.arguments.dropFirst())
    if Metascheduler.isCall(words) { Metascheduler.main(words) }
    if SiteDoctor.isCall(words) { SiteDoctor.main(words) }
    MultiCall(program: "kao", commands: [("kao", KaoCommand.self)]).main(words: ["kao"] + words)
  }
}
