// oarremoveresource: takes dead resources out of the cluster for good.

import ClusterModel
import CommandLine
import Wire

/// Removes resources.
public enum Oarremoveresource: Command {
  public static let definition = CommandDefinition(
    "oarremoveresource", "Remove resources that are Dead, with their history",
    synopsis: ["ID..."], options: [],
    details: [
      "The jobs that ran on a removed resource stay known, but no longer that they ran there."
    ],
    exitCodes: [
      (0, "done"), (1, "no id, or one that is not a number"),
      (2, "a resource is not Dead, or there is none"), (4, "not root and not oar"),
    ],
    helpExitCode: 1)

  public static func run(_ arguments: ParsedArguments, in context: CommandContext) throws -> Int32 {
    guard !arguments.operands.isEmpty else { throw CommandFailure(1, showsUsage: true) }
    let ids = try arguments.operands.map { word in
      guard let id = ResourceID(word), id > 0 else {
        throw CommandFailure(
          1, "[ERROR] \"\(shortened(word))\" is not the id of a resource; see oarnodes.")
      }
      return id
    }
    for id in ids {
      context.output.line("Resource to remove : \(id)")
      do {
        guard case .done = try context.ask(.removeResources([id])) else {
          throw UnexpectedReply(question: "a resource")
        }
      } catch let refusal as Refusal where refusal.kind == .wrongState {
        context.output.line("/!\\ The state of the resource \(id) must be set to Dead before.")
        context.errors.line("/!\\ \(refusal.message)")
        return 2
      }
      context.output.line("Resource \(id) removed.")
    }
    return 0
  }

  public static func failure(for error: any Error) -> CommandFailure? {
    guard let refusal = error as? Refusal else { return nil }
    switch refusal.kind {
    case .unknownResource: return CommandFailure(2, "/!\\ \(refusal.message)")
    case .notAdministrator: return CommandFailure(4, "/!\\ \(refusal.message)")
    default: return nil
    }
  }
}
