// What oarqueue and OAR 2's oarnotify have in common: the changes of queues and how they are said.

import ClusterModel
import CommandLine
import Wire

enum QueueAdministration {
  /// The scheduler of a queue whose description names none.
  static let defaultPolicy = "kamelot"

  /// A queue from `NAME,PRIORITY,POLICY`; what is missing at the end is 0 and the usual policy.
  static func queue(_ text: String) throws -> Queue {
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
      .map { String($0.drop { $0 == " " }) }
    guard parts.count <= 3, !parts[0].isEmpty else {
      throw CommandFailure(
        1, "[ERROR] \"\(shortened(text))\" is not NAME,PRIORITY,POLICY, such as night,3,kamelot")
    }
    guard let priority = parts.count > 1 ? Int(parts[1]) : 0 else {
      throw CommandFailure(
        1,
        "[ERROR] The priority \"\(shortened(parts[1]))\" of the queue \(shortened(parts[0])) "
          + "is not a whole number")
    }
    let policy = parts.count > 2 && !parts[2].isEmpty ? parts[2] : defaultPolicy
    return Queue(name: parts[0], priority: priority, policy: policy)
  }

  /// Does a change and prints the line that reports it.
  static func perform(_ action: QueueAction, _ context: CommandContext) throws {
    guard case .done = try context.ask(.queues(action)) else {
      throw UnexpectedReply(question: "a queue")
    }
    if let text = report(action) { context.output.line(text) }
  }

  /// All queues, the first to be planned first.
  static func list(_ context: CommandContext) throws -> [Queue] {
    guard case .queues(let queues) = try context.ask(.queues(.list)) else {
      throw UnexpectedReply(question: "queues")
    }
    return queues.sorted { ($1.priority, $0.name) < ($0.priority, $1.name) }
  }

  /// The queues as OAR lists them; `policyName` is what the third line calls the scheduler.
  static func text(_ queues: [Queue], policyName: String, indent: String) -> String {
    queues.map { queue in
      "\(queue.name)\n\(indent)priority = \(queue.priority)\n"
        + "\(indent)\(policyName) = \(queue.policy)\n"
        + "\(indent)state = \(queue.isActive ? "Active" : "notActive")\n"
    }.joined()
  }

  private static func report(_ action: QueueAction) -> String? {
    switch action {
    case .list: nil
    case .add(let queue):
      "Add queue \(queue.name) with the priority \(queue.priority) and the scheduler "
        + "\(queue.policy)."
    case .change(let queue):
      "Change queue \(queue.name): the priority \(queue.priority) and the scheduler "
        + "\(queue.policy)."
    case .remove(let name): "Remove queue \(name)."
    case .setActive(let name, let isActive): "\(isActive ? "Enable" : "Disable") queue \(name)."
    case .setAllActive(let isActive): "\(isActive ? "Enable" : "Disable") all queues."
    }
  }
}
