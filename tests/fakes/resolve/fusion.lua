-- A stand-in of Fusion's comp and bmd, for Lua 5.1. It refuses what Fusion refuses.
--
-- Sources: Fusion 8 Scripting Guide (FindTool, GetToolList, Paste, AddTool, StartUndo, Lock, GetConnectedOutput,
-- ConnectTo, AddModifier, SetInput); davinci-resolve-mcp, measured in Resolve 19.1 to 21.0: a value written under
-- a lock is not rendered; an input without a modifier takes no keys; any unknown attribute is a callable.
-- Inputs are those of the tools that saved compositions have.

local POINT, NUMBER, OTHER = "point", "number", "other"
local MASK = { MaskWidth = NUMBER, MaskHeight = NUMBER, PixelAspect = POINT, UseFrameFormatSettings = NUMBER,
  ClippingMode = OTHER, SoftEdge = NUMBER, Level = NUMBER, Comments = OTHER, PaintMode = OTHER, EffectMask = OTHER }
local function with(base, more)
  local all = {}
  for name, kind in pairs(base) do all[name] = kind end
  for name, kind in pairs(more) do all[name] = kind end
  return all
end
local EFFECT = { Input = OTHER, EffectMask = OTHER, Blend = NUMBER, Comments = OTHER }
local INPUTS = {
  MediaIn = {}, MediaOut = { Index = OTHER, Input = OTHER }, Saver = { Input = OTHER }, Loader = {},
  PolylineMask = with(MASK, { Polyline = OTHER }), BitmapMask = with(MASK, { Image = OTHER, Channel = OTHER }),
  Transform = with(EFFECT, { Center = POINT, Pivot = POINT, Size = NUMBER, Angle = NUMBER, XSize = NUMBER,
    YSize = NUMBER, UseSizeAndAspect = NUMBER }),
  BrightnessContrast = with(EFFECT, { Gain = NUMBER, Alpha = NUMBER }),
  BezierSpline = {}, XYPath = { X = NUMBER, Y = NUMBER },
}
local MODIFIERS = { XYPath = POINT, Path = POINT, BezierSpline = NUMBER }

local function constructors()
  local made = { ordered = function() return function(body) return body end end }
  for _, kind in ipairs({ "Input", "FuID", "Polyline", "Clip", "Composition" }) do
    made[kind] = function(body) body.__kind = kind; return body end
  end
  for kind in pairs(INPUTS) do made[kind] = function(body) body.__kind = kind; return body end end
  return made
end

bmd = {}
function bmd.readfile(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read("*a"); file:close()
  return bmd.readstring(text)
end
function bmd.readstring(text)
  local chunk, why = loadstring("return " .. text)
  if not chunk then error(why) end
  -- Nothing else is known there: no os, no io, no unknown tool.
  setfenv(chunk, setmetatable(constructors(), { __index = function(_, name) error("unknown tool " .. name) end }))
  return chunk()
end

function new_comp(start, length)
  local comp = { tools = {}, log = {}, lock = 0, undo = {}, unrendered = {},
    attributes = { COMPN_GlobalStart = start, COMPN_GlobalEnd = start + length - 1, COMPN_RenderStart = start,
      COMPN_RenderEnd = start + length - 1 } }

  local function anything(name) return function() comp.log[#comp.log + 1] = name; return nil end end

  local function new_tool(name, kind)
    local tool = { __name = name, __kind = kind, __sources = {}, __values = {}, __keys = {}, __modifiers = {} }
    local methods = {}
    function methods.GetAttrs() return { TOOLS_Name = tool.__name, TOOLS_RegID = kind, TOOLST_Clip_Name = tool.__clip } end
    function methods.SetAttrs(_, given)
      if comp.tools[given.TOOLS_Name] then error("the name is taken") end
      comp.tools[tool.__name] = nil; tool.__name = given.TOOLS_Name; comp.tools[tool.__name] = tool
    end
    function methods.Delete()
      comp.tools[tool.__name] = nil
      for _, other in pairs(comp.tools) do
        for input, source in pairs(other.__sources) do
          -- Fusion leads a deleted tool's input to whoever it fed.
          if source == tool then other.__sources[input] = tool.__sources.Input end
        end
      end
    end
    function methods.AddModifier(_, input, modifier)
      if INPUTS[kind][input] == nil or INPUTS[kind][input] ~= MODIFIERS[modifier] then return false end
      tool.__modifiers[input] = modifier; tool.__keys[input] = {}
      return true
    end
    function methods.SetInput(_, input, value, time)
      if INPUTS[kind][input] == nil then return nil end
      if comp.lock > 0 then comp.unrendered[#comp.unrendered + 1] = tool.__name .. "." .. input end
      if tool.__modifiers[input] then tool.__keys[input][time] = value else tool.__values[input] = value end
    end
    function methods.GetInput(_, input, time)
      local keys = tool.__keys[input]
      if not keys then return tool.__values[input] end
      local before, after
      for frame in pairs(keys) do
        if frame <= time and (not before or frame > before) then before = frame end
        if frame >= time and (not after or frame < after) then after = frame end
      end
      before = before or after; after = after or before
      if before == after then return keys[before] end
      return keys[before] + (keys[after] - keys[before]) * (time - before) / (after - before)
    end
    return setmetatable(tool, { __index = function(_, name)
      if methods[name] then return methods[name] end
      if name == "Output" or name == "Mask" then return { tool = tool } end
      if INPUTS[kind][name] then
        local input = {}
        function input.GetConnectedOutput()
          local source = tool.__sources[name]
          return source and { tool = source } or nil
        end
        function input.ConnectTo(_, output) tool.__sources[name] = output and output.tool end
        return input
      end
      return anything(name)
    end })
  end

  local function add(name, body)
    local kind = body.__kind
    if not INPUTS[kind] then error("unknown tool " .. tostring(kind)) end
    local free, number = name, 0
    while comp.tools[free] do number = number + 1; free = name .. "_" .. number end
    local tool = new_tool(free, kind)
    comp.tools[free] = tool
    for input in pairs(body.Inputs or {}) do
      if INPUTS[kind][input] == nil and not string.match(input, "^Clip1%.") then
        error(kind .. " has no input " .. input)
      end
    end
    return tool
  end

  local function paste(entries)
    local made = {}
    for name, body in pairs(entries) do made[name] = { add(name, body), body } end
    for _, pair in pairs(made) do
      for input, value in pairs(pair[2].Inputs or {}) do
        if value.SourceOp then
          local source = made[value.SourceOp] and made[value.SourceOp][1] or comp.tools[value.SourceOp]
          if not source then error("no tool " .. value.SourceOp) end
          pair[1].__sources[input] = source
        else
          pair[1].__values[input] = value.Value
        end
      end
      pair[1].__body = pair[2]
    end
  end

  function comp:Paste(given)
    -- A table that is none, or comes from another process, is not pasted: false and no word.
    if type(given) ~= "table" or not given.Tools then return false end
    paste(given.Tools)
    return true
  end
  function comp:FindTool(name) return self.tools[name] end
  function comp:GetToolList(selected)
    local list = {}
    for _, tool in pairs(self.tools) do list[#list + 1] = tool end
    return selected and {} or list
  end
  function comp:AddTool(id)
    local tool = add(id .. "1", { __kind = id })
    return tool
  end
  function comp:GetAttrs() return self.attributes end
  function comp:Lock() self.lock = self.lock + 1 end
  function comp:Unlock()
    if self.lock == 0 then error("not locked") end
    self.lock = self.lock - 1
  end
  function comp:StartUndo(name) self.undo[#self.undo + 1] = name; self.open = true end
  function comp:EndUndo() self.open = false end
  function comp:Execute(code)
    local chunk, why = loadstring(code)
    if not chunk then error(why) end
    setfenv(chunk, setmetatable({ comp = self, bmd = bmd }, { __index = _G }))
    chunk()
  end
  function comp:Load(given) paste(given.Tools) end
  -- The tools that a render of MediaOut1 goes through, MediaIn1 last.
  function comp:Way()
    local way, tool = {}, self.tools.MediaOut1 or self.tools.Saver1
    while tool do way[#way + 1] = tool.__name; tool = tool.__sources.Input end
    return way
  end
  function comp:Names()
    local names = {}
    for name in pairs(self.tools) do names[#names + 1] = name end
    table.sort(names)
    return names
  end
  return comp
end
