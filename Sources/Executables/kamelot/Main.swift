// The planner as a program: a scenario in, its plan out; or the scheduler of a queue of OAR's.

import CommandLine
import Controller
import PlannerCommands

@main
enum Main {
  static func main() {
    let words = Array(Swift.CommandLine.arguments.dropFirst())
    if QueueScheduler.isCall(words) { QueueScheduler.main(words) }
    // By whatever name the file is called, it is this command.
    MultiCall(program: "kamelot", commands: [("kamelot", KamelotCommand.self)])
      .main(words: ["kamelot"] + words)
  }
}
