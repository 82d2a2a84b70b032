// Which pods of a node have to go.

import KubernetesClient

extension PodView {
  /// What a pod is to a node that is reclaimed; nil for one that has ended. One that goes and of which no container
  /// runs has as well, though its kubelet may take ten seconds to say so: the node looks for what is left of it.
  ///
  /// - Parameter daemonSets: those whose pods may stay, as `namespace/name`.
  public init?(_ pod: Pod, allowing daemonSets: Set<String>) {
    guard !pod.isOver, !pod.isTerminating || pod.isAnyContainerRunning else { return nil }
    var mayStay = pod.isMirror
    if pod.isOfDaemonSet, let owner = pod.metadata.controller {
      mayStay = daemonSets.contains("\(pod.metadata.namespace)/\(owner.name)")
    }
    self.init(
      namespace: pod.metadata.namespace, name: pod.name, uid: pod.metadata.uid,
      grace: .seconds(pod.grace ?? Self.usualGrace), mayStay: mayStay, isGoing: pod.isTerminating)
  }

  /// Seconds, where a pod says nothing: what Kubernetes takes.
  private static let usualGrace = 30
}
