// All commands in one program: `oarsub`, `oarstat` ... are names of it, and first words after `liburna`.

import AdminCommands
import CommandLine
import UserCommands

@main
enum Main {
  static func main() {
    let commands: [(name: String, type: any Command.Type)] = [
      ("oarsub", Oarsub.self), ("oarstat", Oarstat.self), ("oarnodes", Oarnodes.self),
      ("oarprint", Oarprint.self), ("oardel", Oardel.self),
      ("oarhold", Oarhold.self), ("oarresume", Oarresume.self),
      ("oarwalltime", Oarwalltime.self), ("oarsh", Oarsh.self),
      ("status", StatusCommand.self), ("lab", LabCommand.self),
    ]
    // The library's own CommandLine would hide the process's.
    MultiCall(program: "liburna", commands: commands + adminCommands)
      .main(words: Swift.CommandLine.arguments)
  }
}
