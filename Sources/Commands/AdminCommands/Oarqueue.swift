// oarqueue: the queues, their priorities, and whether their jobs are started.

import ClusterModel
import CommandLine
import Wire

/// The options of `oarqueue`.
enum OarqueueOption {
  static let list = Key<Bool>.flag("-l", "--list", help: "List the queues (also without options)")
  static let enable = Key<[String]>.texts("-e", "--enable", value: "NAME", help: "Start its jobs")
  static let disable = Key<[String]>.texts(
    "-d", "--disable", value: "NAME", help: "Start none of its jobs; those that run go on")
  static let enableAll = Key<Bool>.flag("-E", "--enable-all", help: "Enable all queues")
  static let disableAll = Key<Bool>.flag("-D", "--disable-all", help: "Disable all queues")
  static let add = Key<[String]>.texts(
    "--add", value: "NAME,PRIORITY,POLICY", help: "Add a queue, such as night,3,kamelot")
  static let change = Key<[String]>.texts(
    "--change", value: "NAME,PRIORITY,POLICY", help: "Give a queue another priority and policy")
  static let remove = Key<[String]>.texts("--remove", value: "NAME", help: "Remove a queue")
}

/// Manages queues.
public enum Oarqueue: Command {
  public static let definition = CommandDefinition(
    "oarqueue", "List and manage queues",
    synopsis: [
      "[-l] [--json]", "-e NAME | -d NAME | -E | -D", "--add NAME,PRIORITY,POLICY",
      "--change NAME,PRIORITY,POLICY", "--remove NAME",
    ],
    options: [
      OarqueueOption.list, OarqueueOption.enable, OarqueueOption.disable, OarqueueOption.enableAll,
      OarqueueOption.disableAll, OarqueueOption.add, OarqueueOption.change, OarqueueOption.remove,
      DocumentOption.json,
    ],
    exitCodes: [
      (0, "done"), (1, "options that don't fit, or refused"), (2, "no server"),
      (8, "not root and not oar"),
    ])

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    let actions = try actions(arguments)
    for action in actions { try QueueAdministration.perform(action, context) }
    if actions.isEmpty || arguments[OarqueueOption.list] { try list(arguments, context) }
    return 0
  }

  public static func failure(for error: any Error) -> CommandFailure? {
    guard let refusal = error as? Refusal, refusal.kind == .notAdministrator else { return nil }
    return CommandFailure(8, "[ERROR] \(refusal.message)")
  }

  private static func actions(_ arguments: ParsedArguments) throws -> [QueueAction] {
    var actions: [QueueAction] = []
    actions += try arguments[OarqueueOption.add].map { .add(try QueueAdministration.queue($0)) }
    actions += try arguments[OarqueueOption.change].map {
      .change(try QueueAdministration.queue($0))
    }
    actions += arguments[OarqueueOption.remove].map { .remove($0) }
    if arguments[OarqueueOption.enableAll] { actions.append(.setAllActive(true)) }
    if arguments[OarqueueOption.disableAll] { actions.append(.setAllActive(false)) }
    actions += arguments[OarqueueOption.enable].map { .setActive($0, true) }
    actions += arguments[OarqueueOption.disable].map { .setActive($0, false) }
    return actions
  }

  private static func list(_ arguments: ParsedArguments, _ context: CommandContext) throws {
    let queues = try QueueAdministration.list(context)
    guard arguments[DocumentOption.json] else {
      context.output.write(
        QueueAdministration.text(queues, policyName: "policy", indent: "\t"))
      return
    }
    let values = queues.map { queue -> OutputValue in
      [
        "name": .text(queue.name), "priority": .integer(queue.priority),
        "policy": .text(queue.policy), "active": .boolean(queue.isActive),
      ]
    }
    context.output.pass(DocumentOption.document([OutputEntry("queues", .list(values))]))
  }
}
