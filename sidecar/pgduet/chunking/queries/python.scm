(function_definition name: (identifier) @name) @function
(class_definition name: (identifier) @name) @class
(comment) @lead
(decorated_definition definition: (_) @inner) @wrapper
