// The ids and times of the lower layers are part of the public face.
@_exported public import Primitives
