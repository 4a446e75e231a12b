(function_definition name: (_) @name) @function
(method_declaration name: (_) @name body: (_)) @function
(class_declaration name: (_) @name) @class
(interface_declaration name: (_) @name) @class
(trait_declaration name: (_) @name) @class
(enum_declaration name: (_) @name) @class
(comment) @lead
