// The planner as a program: a scenario in, its plan out.

import CommandLine
import PlannerCommands

@main
enum Main {
  static func main() {
    // By whatever name the file is called, it is this command.
    MultiCall(program: "kamelot", commands: [("kamelot", KamelotCommand.self)])
      .main(words: ["kamelot"] + Swift.CommandLine.arguments.dropFirst())
  }
}
