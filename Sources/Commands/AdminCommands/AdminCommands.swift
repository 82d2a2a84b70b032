// The commands that administer a cluster, by the names they are called by.

import CommandLine

public let adminCommands: [(name: String, type: any Command.Type)] = [
  ("oarnodesetting", Oarnodesetting.self), ("oarproperty", Oarproperty.self),
  ("oarqueue", Oarqueue.self), ("oarnotify", Oarnotify.self),
  ("oarremoveresource", Oarremoveresource.self), ("doctor", DoctorCommand.self),
  ("bebida", Bebida.self),
]
