// Who has a node, and the ways between owners.

/// Where a node is between Kubernetes and the batch system. It goes round: `lent`, `closing`, `draining`,
/// `fencing`, `batch`, `opening`, and `lent` again.
public enum Phase: String, Sendable, CaseIterable {
  /// Kubernetes may use it.
  case lent = "KUBE"
  /// Kubernetes places nothing new on it; what runs goes on.
  case closing = "CLOSING"
  /// Pods are asked to go.
  case draining = "DRAINING"
  /// What has not gone is ended, and the node proves that nothing is left.
  case fencing = "FENCING"
  /// The node has proved that no process of a pod is left, and keeps pods away: jobs may start.
  case batch = "HPC"
  /// The batch system needs it no more; the node and then Kubernetes are told.
  case opening = "OPENING"
  /// The node could not prove itself clean in time. No job starts on it until it has.
  case fault = "FAULT"
}

/// Who should have a node now.
public enum Owner: String, Sendable {
  case kubernetes, batch, nobody
}

/// Which of our marks a node bears in Kubernetes. Each includes those before it.
public enum Marks: Int, Sendable, Comparable {
  case none
  /// Cordoned, with our taint `NoSchedule`: nothing new is placed.
  case closed
  /// With our taint `NoExecute` as well: kubelet refuses what is placed all the same, and the taint manager
  /// removes what does not tolerate it.
  case fenced

  public static func < (first: Marks, second: Marks) -> Bool { first.rawValue < second.rawValue }
}
