// oarnotify: OAR 2's way to wake the server, and its options for queues (see oarqueue).

import ClusterModel
import CommandLine
import Wire

/// The options of `oarnotify`.
enum OarnotifyOption {
  static let enable = Key<[String]>.texts(
    "-e", "--enable-queue", value: "NAME", help: "Start the jobs of a queue")
  static let disable = Key<[String]>.texts(
    "-d", "--disable-queue", value: "NAME", help: "Start no job of a queue")
  static let enableAll = Key<Bool>.flag("-E", "--Enable-all-queues", help: "Enable all queues")
  static let disableAll = Key<Bool>.flag("-D", "--Disable-all-queues", help: "Disable all queues")
  static let add = Key<[String]>.texts(
    "--add-queue", value: "NAME,PRIORITY,SCHEDULER", help: "Add a queue, such as night,3,kamelot")
  static let remove = Key<[String]>.texts("--remove-queue", value: "NAME", help: "Remove a queue")
  static let list = Key<Bool>.flag("-l", "--list-queues", help: "List the queues")
}

/// Wakes the server.
public enum Oarnotify: Command {
  public static let definition = CommandDefinition(
    "oarnotify", "Make the server plan at once, or manage queues as OAR 2 does",
    synopsis: [
      "TAG",
      "[-l] [-e NAME] [-d NAME] [-E] [-D] [--add-queue NAME,PRIORITY,SCHEDULER] "
        + "[--remove-queue NAME]",
    ],
    options: [
      OarnotifyOption.enable, OarnotifyOption.disable, OarnotifyOption.enableAll,
      OarnotifyOption.disableAll, OarnotifyOption.add, OarnotifyOption.remove,
      OarnotifyOption.list,
    ],
    details: ["Every tag that OAR 2's server knows, such as Term or ChState, makes ours plan."],
    exitCodes: [(0, "done"), (1, "options that don't fit, or refused"), (2, "no server")],
    helpExitCode: 1)

  /// The words that OAR 2's server takes; ours plans on each.
  private static let tags: Set<String> = [
    "Term", "Qsub", "Qsub -I", "Qdel", "Qresume", "Walltime", "BipBip", "Scheduling", "ChState",
    "Villains", "Finaud", "Time",
  ]

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    for action in try actions(arguments) { try QueueAdministration.perform(action, context) }
    if arguments[OarnotifyOption.list] {
      let queues = try QueueAdministration.list(context)
      context.output.write(
        QueueAdministration.text(queues, policyName: "scheduler", indent: "\t"))
    }
    guard let tag = arguments.operands.first else { return 0 }
    guard tags.contains(tag) else {
      context.errors.line(
        "/!\\ The server has no use for the tag \"\(shortened(tag))\"; Term makes it plan at once.")
      return 0
    }
    guard case .done = try context.ask(.plan) else { throw UnexpectedReply(question: "a plan") }
    return 0
  }

  private static func actions(_ arguments: ParsedArguments) throws -> [QueueAction] {
    var actions: [QueueAction] = []
    actions += try arguments[OarnotifyOption.add].map { .add(try QueueAdministration.queue($0)) }
    actions += arguments[OarnotifyOption.remove].map { .remove($0) }
    actions += arguments[OarnotifyOption.enable].map { .setActive($0, true) }
    actions += arguments[OarnotifyOption.disable].map { .setActive($0, false) }
    if arguments[OarnotifyOption.enableAll] { actions.append(.setAllActive(true)) }
    if arguments[OarnotifyOption.disableAll] { actions.append(.setAllActive(false)) }
    return actions
  }
}
